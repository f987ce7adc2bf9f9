import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { deploymentOf, environmentOf, instanceOf, NOW } from './scripted-views.ts';

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({ environments: { environments: [environmentOf()] } });
  await daemon.start();
});
afterEach(() => daemon.close());

describe('status', () => {
  test('shows an environment at a glance', async () => {
    const { code, out } = await belay(daemon, ['status']);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "shop/production  ● ok  2 instances in service in 2 zones
        url         http://shop.localhost:8080/
        status      ready
        release     4 (v3)
        capacity    2 of 2 in service, 1 to 4 allowed
        traffic     203 requests/s, p50 1.24 ms, p99 18.5 ms over 1 m 0 s
        deployment  deploy 4 succeeded just now, 0 of 12,345 lost

        ZONE  INSTANCE    STATE       HEALTH   VERSION    CPU   MEMORY        UP
        a     i-0000000a  in-service  healthy  v3       3.1 %  46.1 MB  1 m 30 s
        b     i-0000000b  in-service  healthy  v3           –        –  1 m 30 s
      "
    `);
  });

  test('shows why an instance is not in service, and a deployment that goes on', async () => {
    daemon.script.environments = {
      environments: [
        environmentOf({
          health: 'severe',
          status: 'updating',
          cause: 'no instance is in service',
          url: 'http://shop.localhost:8080/',
          traffic: null,
          instances: [
            instanceOf({
              state: 'pending',
              health: 'unhealthy',
              reason: 'answered 500 to GET /healthz',
            }),
          ],
          deployment: deploymentOf({
            state: 'rolling-back',
            startedAt: NOW - 4_000,
            receipt: null,
          }),
        }),
      ],
    };
    const { code, out } = await belay(daemon, ['status']);
    expect(code).toBe(2);
    expect(out).toMatchInlineSnapshot(`
      "shop/production  ● severe  no instance is in service
        url         http://shop.localhost:8080/
        status      updating
        release     4 (v3)
        capacity    0 of 2 in service, 1 to 4 allowed
        traffic     not measured yet
        deployment  deploy 4 rolling back for 4.0 s

        ZONE  INSTANCE    STATE    HEALTH     VERSION    CPU   MEMORY        UP  REASON
        a     i-0000000a  pending  unhealthy  v3       3.1 %  46.1 MB  1 m 30 s  answered 500 to GET /healthz
      "
    `);
  });

  test('shows what is left out, what instances depend on, and what went wrong', async () => {
    const base = environmentOf().traffic;
    const parts = [
      { name: 'database', passed: false, detail: 'connection refused' },
      { name: 'cache', passed: true, detail: '' },
    ];
    daemon.script.environments = {
      environments: [
        environmentOf({
          traffic: base && { ...base, lost: 2, appErrors: 9, serverErrors: 11 },
          instances: [
            instanceOf({ ejection: '5 errors in a row, back in 12 s' }),
            instanceOf({
              id: 'i-0000000b',
              deep: { passed: false, description: 'database: connection refused', parts },
            }),
            instanceOf({
              id: 'i-0000000c',
              deep: { passed: false, description: 'answered 503 to GET /readyz', parts: [] },
            }),
            instanceOf({ id: 'i-0000000d', deep: { passed: true, description: '', parts: [] } }),
          ],
        }),
      ],
    };
    const { out } = await belay(daemon, ['status']);
    expect(out.slice(out.indexOf('  traffic'))).toMatchInlineSnapshot(`
      "  traffic     203 requests/s, p50 1.24 ms, p99 18.5 ms, 11 answers of 5xx, 2 lost, 9 app errors over 1 m 0 s
        deployment  deploy 4 succeeded just now, 0 of 12,345 lost

        ZONE  INSTANCE    STATE       HEALTH   VERSION    CPU   MEMORY        UP
        a     i-0000000a  in-service  healthy  v3       3.1 %  46.1 MB  1 m 30 s
           ejected     5 errors in a row, back in 12 s
        a     i-0000000b  in-service  healthy  v3       3.1 %  46.1 MB  1 m 30 s
           depends on  ✗ database: connection refused  ✓ cache
        a     i-0000000c  in-service  healthy  v3       3.1 %  46.1 MB  1 m 30 s
           depends on  ✗ answered 503 to GET /readyz
        a     i-0000000d  in-service  healthy  v3       3.1 %  46.1 MB  1 m 30 s
      "
    `);
  });

  test('shows who is protected, and what is asked of whom', async () => {
    const reason = 'on standby by hand';
    const instances = [
      instanceOf({ isProtected: true }),
      instanceOf({ id: 'i-0000000b', state: 'standby', health: 'unused', wish: 'standby', reason }),
    ];
    daemon.script.environments = { environments: [environmentOf({ instances })] };
    const { out } = await belay(daemon, ['status']);
    expect(out.slice(out.indexOf('  ZONE'))).toMatchInlineSnapshot(`
      "  ZONE  INSTANCE    STATE       HEALTH   VERSION    CPU   MEMORY        UP  REASON
        a     i-0000000a  in-service  healthy  v3       3.1 %  46.1 MB  1 m 30 s
           protected   from scale-in
        a     i-0000000b  standby     unused   v3       3.1 %  46.1 MB  1 m 30 s  on standby by hand
      "
    `);
  });

  test('shows what a fixed address says of itself and of what it depends on', async () => {
    const parts = [{ name: 'database', passed: false, detail: 'connection refused' }];
    const fixed = {
      health: 'unhealthy',
      reason: 'answered 500 to GET /healthz',
      ejection: '5 errors in a row, back in 12 s',
      deep: { passed: false, description: 'database: connection refused', parts },
    };
    const shown = environmentOf({ version: null, instances: [], fixed });
    daemon.script.environments = { environments: [shown] };
    const { out } = await belay(daemon, ['status']);
    expect(out.slice(out.indexOf('  release'), out.indexOf('  traffic'))).toMatchInlineSnapshot(`
      "  release     4
        address     unhealthy: answered 500 to GET /healthz
        ejected     5 errors in a row, back in 12 s
        depends on  ✗ database: connection refused
      "
    `);
    daemon.script.environments = {
      environments: [
        { ...shown, fixed: { health: 'healthy', reason: '', ejection: null, deep: null } },
      ],
    };
    expect((await belay(daemon, ['status'])).out).toContain('  address     healthy\n');
  });

  test('shows what is kept warm, and what waits with how to answer it', async () => {
    const minute = 60_000;
    const waits = (turn: 'launching' | 'terminating') => ({
      reason: 'waits to be told to go on',
      wait: { turn, since: NOW - minute, endsAt: NOW + 14 * minute, otherwise: 'abandon' as const },
    });
    const shown = environmentOf({
      warm: 2,
      instances: [
        instanceOf(),
        instanceOf({ id: 'i-0000000b', state: 'warmed', reason: '3 of 3 to keep warm' }),
        instanceOf({ id: 'i-0000000c', state: 'pending', ...waits('launching') }),
        instanceOf({
          ...{ id: 'i-0000000d', state: 'draining', health: 'draining' },
          ...waits('terminating'),
        }),
      ],
    });
    daemon.script.environments = { environments: [shown] };
    const { out } = await belay(daemon, ['status']);
    const lines = out.split('\n').map((line) => line.trim());
    expect(lines).toContain('capacity    1 of 2 in service, 1 to 4 allowed; 1 of 2 kept warm');
    expect(lines.filter((line) => line.startsWith('waits'))).toEqual([
      'waits       before it takes traffic: belay instance continue i-0000000c, or abandon, or heartbeat; in 14 m 0 s: abandon',
      'waits       before it is stopped: belay instance continue i-0000000d, or abandon, or heartbeat; in 14 m 0 s: abandon',
    ]);
  });

  test('says how to start where nothing runs', async () => {
    daemon.script.environments = { environments: [] };
    const { code, out } = await belay(daemon, ['status']);
    expect({ code, out }).toEqual({
      code: 0,
      out: 'Nothing runs.\nStart an application with: belay up DIR\n',
    });
  });

  test('has the shape that scripts rely on', async () => {
    const { json } = await belay(daemon, ['status', '--json']);
    const { environments } = json as {
      environments: { instances: Record<string, unknown>[] }[];
    };
    const keys = [
      'application',
      'environment',
      'status',
      'health',
      'release',
      'version',
      'url',
      'instances',
    ];
    expect(environments.map((environment) => Object.keys(environment))).toEqual([
      expect.arrayContaining(keys),
    ]);
    const instance = environments[0]?.instances[0] ?? {};
    expect(Object.keys(instance)).toEqual(
      expect.arrayContaining([
        'id',
        'state',
        'zone',
        'release',
        'version',
        'health',
        'reason',
        'pid',
        'port',
      ]),
    );
  });

  test('asks for one application and keeps one environment', async () => {
    daemon.script.environments = {
      environments: [environmentOf(), environmentOf({ environment: 'staging' })],
    };
    const { json } = await belay(daemon, ['status', '-a', 'shop', '-e', 'staging', '--json']);
    expect(json).toMatchObject({ environments: [{ environment: 'staging' }] });
    expect(daemon.asked[0]?.query).toEqual({ application: 'shop' });
  });
});
