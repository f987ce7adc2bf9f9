import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import type { InstanceView } from '../model/view.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, instanceOf } from './scripted-views.ts';

const ID = 'i-0000000a';

let daemon: ScriptedDaemon;

/** As the environment is seen, one look after the other; the last one stays. */
function seen(...looks: (Partial<InstanceView> | null)[]): void {
  daemon.script.environment = () => {
    const look = looks.length > 1 ? looks.shift() : looks[0];
    const other = instanceOf({ id: 'i-0000000b' });
    return environmentOf({ instances: look ? [instanceOf({ id: ID, ...look }), other] : [other] });
  };
}

beforeEach(async () => {
  const view = environmentOf({
    instances: [instanceOf({ id: ID }), instanceOf({ id: 'i-0000000b' })],
  });
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf({ application: 'other', instances: [] }), view] },
    standbyInstance: view,
    resumeInstance: view,
    replaceInstance: view,
    protectInstances: view,
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const asked = (route: string) => daemon.asked.find((each) => each.route === route);

describe('belay instance', () => {
  test('finds the environment by the id alone, and waits until it is on standby', async () => {
    seen({}, { state: 'draining' }, { state: 'standby', wish: 'standby' });
    const { code, out } = await belay(daemon, ['instance', 'standby', ID], { instant: true });
    expect(code).toBe(0);
    expect(out).toBe(`✓ ${ID} is on standby; 1 of 2 in service\n`);
    expect(asked('standbyInstance')).toMatchObject({
      params: { application: 'shop', environment: 'production', instance: ID },
      body: { substitute: false },
    });
    expect(daemon.asked.filter(({ route }) => route === 'environment')).toHaveLength(3);
  });

  test('asks for a substitute with --replace, and returns at once with --no-wait', async () => {
    seen({ wish: 'standby' });
    const argv = ['instance', 'standby', ID, '--replace', '--no-wait'];
    expect((await belay(daemon, argv)).out).toContain(`${ID} goes on standby`);
    expect(asked('standbyInstance')?.body).toMatchObject({ substitute: true });
  });

  test('is back when it is healthy again', async () => {
    seen({ state: 'standby' }, { health: 'initial' }, { health: 'healthy' });
    const { out } = await belay(daemon, ['instance', 'resume', ID], { instant: true });
    expect(out).toBe(`✓ ${ID} is back in service; 2 of 2 in service\n`);
    expect(daemon.asked.filter(({ route }) => route === 'environment')).toHaveLength(3);
  });

  test('is replaced when it is gone', async () => {
    seen({ wish: 'replace' }, { state: 'draining' }, { state: 'terminating' }, null);
    const { code, out } = await belay(daemon, ['instance', 'replace', ID], { instant: true });
    expect(code).toBe(0);
    expect(out).toContain(`${ID} has ended`);
  });

  test('tells of one that ends while it is to go on standby', async () => {
    seen({}, null);
    const { code, err } = await belay(daemon, ['instance', 'standby', ID], { instant: true });
    expect(code).toBe(1);
    expect(err).toContain(`${ID} has ended meanwhile`);
  });

  test('stops waiting in time, and says how far it is', async () => {
    seen({ wish: 'replace', reason: 'goes when another serves in its place' });
    const argv = ['instance', 'replace', ID, '--timeout', '1ms'];
    const { code, err } = await belay(daemon, argv, { instant: true });
    expect(code).toBe(3);
    expect(err).toContain('goes when another serves in its place');
  });

  test('protects many at once, each once', async () => {
    const argv = ['instance', 'protect', ID, 'i-0000000b', ID];
    const { code, out } = await belay(daemon, argv);
    expect(code).toBe(0);
    expect(out).toBe('✓ 2 instances protected from scale-in\n');
    expect(asked('protectInstances')?.body).toMatchObject({
      instances: [ID, 'i-0000000b'],
      isProtected: true,
    });
    await belay(daemon, ['instance', 'unprotect', ID]);
    expect(daemon.asked.at(-1)?.body).toMatchObject({ instances: [ID], isProtected: false });
  });

  test('knows no instance that is not there, and passes on what the daemon refuses', async () => {
    const unknown = await belay(daemon, ['instance', 'replace', 'i-ffffffff']);
    expect(unknown.code).toBe(64);
    expect(unknown.err).toContain('There is no instance i-ffffffff');
    daemon.script.standbyInstance = () => {
      throw new Fault({ code: 'bad-capacity', message: 'fewer than min 2', hint: 'use --replace' });
    };
    const refused = await belay(daemon, ['instance', 'standby', ID]);
    expect(refused.code).toBe(64);
    expect(refused.err).toContain('use --replace');
  });
});
