import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HookName } from '../../src/model/hook.ts';
import type { DeploymentDetail } from '../../src/model/view.ts';
import type { AppOptions } from './support/app.ts';
import { House, where } from './support/house.ts';
import { until } from './support/until.ts';

/** Hooks as real processes: what they make, what their failure leaves alone, and what they survive. */

const QUICK: AppOptions = {
  capacity: { min: 1, desired: 2, max: 4, zones: ['a'] },
  drain: '200ms',
  stopGrace: '500ms',
  deploy: { startTimeout: '10s', healthyFor: '50ms' },
};

const LOG_LIMIT_BYTES = 64 * 1024 ** 2;
const BLOCK_BYTES = 512;

describe('hooks', () => {
  let house: House;
  let versions = 0;
  let gates = 0;
  let failed = false;

  // One for all, because each start of a house takes longer than most hooks.
  beforeAll(async () => {
    house = new House();
    await house.start();
    expect((await house.deployed(version({}, {}))).state).toBe('succeeded');
  });

  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
  });

  afterAll(() => house.close(failed), 60_000);

  /** A new version that has these scripts, and what its configuration says of them. */
  function version(options: AppOptions, scripts: Record<string, string>): string {
    versions += 1;
    const directory = house.app({ name: `v${versions}` }, { ...QUICK, ...options });
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(directory, name), text);
    return directory;
  }

  /** A script that notes that it began, and goes on when its gate is opened. */
  function gated(then: string) {
    gates += 1;
    const [begun, gate] = [house.file(`begun-${gates}`), house.file(`gate-${gates}`)];
    const script = `
      const { appendFileSync, existsSync } = require('node:fs');
      appendFileSync(${JSON.stringify(begun)}, 'x');
      const timer = setInterval(() => {
        if (!existsSync(${JSON.stringify(gate)})) return;
        clearInterval(timer);
        ${then}
      }, 20);`;
    return {
      script,
      begun: () => until('it has begun', () => existsSync(begun), Boolean),
      open: () => writeFileSync(gate, ''),
      timesBegun: () => readFileSync(begun, 'utf8').length,
    };
  }

  const serving = async (): Promise<string[]> => idsOf(await house.inService(2));

  const idsOf = ({ instances }: { instances: { id: string }[] }) =>
    instances.map(({ id }) => id).sort();

  /** The same instances as before serve, and nothing else has a process. */
  async function expectUntouched(before: string[]): Promise<void> {
    expect(idsOf(await house.inService(2))).toEqual(before);
    expect(house.instanceProcesses()).toEqual(before);
  }

  const logOf = ({ hooks }: DeploymentDetail, hook: HookName): string => {
    const id = hooks.find((run) => run.hook === hook)?.id;
    return join(house.home, 'logs', where.application, where.environment, `${id}.log`);
  };

  test('a version is built once, and its instances run in what the build made', {
    timeout: 60_000,
  }, async () => {
    const directory = version(
      {
        build: 'BRAND=belay node build.cjs',
        hooks: { bootstrap: 'node warm-up.cjs', postdeploy: 'node smoke.cjs' },
      },
      {
        'build.cjs': `
          const fs = require('node:fs');
          fs.appendFileSync(${JSON.stringify(house.file('builds'))}, 'x');
          fs.writeFileSync('built.txt', process.env.BRAND + (process.env.SECRET ?? ''));
          fs.appendFileSync('package.json', '\\n');
          console.log('bundled 3 modules');`,
        'smoke.cjs': `
          const { BELAY_EDGE, BELAY_DOMAIN } = process.env;
          const headers = { host: BELAY_DOMAIN };
          require('node:http').get(BELAY_EDGE, { headers, agent: false }, (response) => {
            console.log(BELAY_DOMAIN, 'answers', response.statusCode);
            response.resume();
          });`,
        'warm-up.cjs': "require('node:fs').readFileSync('built.txt'); setTimeout(() => {}, 100);",
      },
    );
    const first = await house.deployed(directory);
    expect(first).toMatchObject({
      state: 'succeeded',
      hooks: [
        { hook: 'build', state: 'passed' },
        { hook: 'postdeploy', state: 'passed' },
      ],
    });
    expect(readFileSync(logOf(first, 'postdeploy'), 'utf8')).toBe(
      'numbers.localhost answers 200\n',
    );
    expect(first.boot?.bootstrapMs).toBeGreaterThanOrEqual(100);
    const second = await house.deployed(directory);
    expect(second).toMatchObject({ state: 'succeeded', hooks: [{ state: 'kept' }, {}] });
    expect(readFileSync(house.file('builds'), 'utf8')).toBe('x');
    const params = { ...where, number: second.to };
    const { directory: image } = await house.client.call('release', { params });
    expect(image).toMatch(/[0-9a-f]{64}\.built-[0-9a-f]{16}$/);
    const built = join(image ?? '', 'built.txt');
    expect(readFileSync(built, 'utf8')).toBe('belay');
    expect(statSync(built).mode & 0o222).toBe(0);
    const logs = await house.belay(['logs', '--hook', 'build', '--app', where.application]);
    expect(logs).toMatchObject({ code: 0, stdout: 'bundled 3 modules\n' });
    const status = await house.belay(['status', '--app', where.application]);
    expect(status.stdout).toMatch(/boot +\d+\.\d s, of it bootstrap \d+\.\d s/);
  });

  test('a build that never ends is ended at its deadline', { timeout: 60_000 }, async () => {
    const before = await serving();
    const build = { run: 'node build.cjs', timeout: '1s' };
    const scripts = { 'build.cjs': "console.log('thinking'); setInterval(() => {}, 1e6);" };
    const deployment = await house.deployed(version({ build }, scripts));
    expect(deployment).toMatchObject({
      state: 'rolled-back',
      cause: 'build was not done within 1 s',
      logTail: expect.arrayContaining(['thinking']),
    });
    await expectUntouched(before);
  });

  test('a migration that fails leaves every instance alone', { timeout: 60_000 }, async () => {
    const before = await serving();
    const scripts = {
      'migrate.cjs': "console.log('column exists already'); process.exitCode = 3;",
    };
    const migrate = 'node migrate.cjs';
    const deployment = await house.deployed(version({ hooks: { migrate } }, scripts));
    expect(deployment).toMatchObject({
      state: 'rolled-back',
      cause: 'migrate exited with code 3',
      logTail: ['column exists already'],
    });
    await expectUntouched(before);
    const missing = version({ hooks: { migrate: 'no-such-program' } }, {});
    expect((await house.deployed(missing)).cause).toMatch(
      /^migrate could not be started \(there is no program 'no-such-program'/,
    );
    await expectUntouched(before);
  });

  test('a daemon killed amid a build and a migration loses neither', {
    timeout: 60_000,
  }, async () => {
    const build = gated('');
    const options = { build: 'node build.cjs' };
    const number = await house.deploy(version(options, { 'build.cjs': build.script }));
    await build.begun();
    await house.killDaemon();
    await house.start();
    build.open();
    const built = await house.settled(number);
    expect(built).toMatchObject({ state: 'succeeded', hooks: [{ state: 'passed' }] });
    expect(build.timesBegun()).toBe(1);
    const before = await serving();

    const migration = gated('process.exitCode = 4;');
    const hooks = { migrate: 'node migrate.cjs' };
    const next = await house.deploy(version({ hooks }, { 'migrate.cjs': migration.script }));
    await migration.begun();
    await house.killDaemon();
    // It ends while nobody watches, and its status is there all the same.
    migration.open();
    const alone = () => house.instanceProcesses().every((id) => id.startsWith('i-'));
    await until('the migration has ended', alone, Boolean);
    await house.start();
    expect(await house.settled(next)).toMatchObject({
      state: 'rolled-back',
      cause: 'migrate exited with code 4',
    });
    expect(migration.timesBegun()).toBe(1);
    await expectUntouched(before);
  });

  test('an abort ends the hook that runs', { timeout: 60_000 }, async () => {
    const before = await serving();
    const migration = gated('');
    const hooks = { migrate: 'node migrate.cjs' };
    const number = await house.deploy(version({ hooks }, { 'migrate.cjs': migration.script }));
    await migration.begun();
    await house.client.call('abort', { params: where, body: {} });
    expect(await house.settled(number)).toMatchObject({
      state: 'aborted',
      hooks: [{ state: 'stopped' }],
    });
    await expectUntouched(before);
  });

  test('a hook that floods its log is stopped, and the disk is safe', {
    timeout: 60_000,
  }, async () => {
    const flood = `
      const { writeSync } = require('node:fs');
      const chunk = ('x'.repeat(1023) + '\\n').repeat(4096);
      setInterval(() => writeSync(1, chunk), 50);`;
    const build = 'node build.cjs';
    const deployment = await house.deployed(version({ build }, { 'build.cjs': flood }));
    expect(deployment.cause).toMatch(/^build wrote more than 20 MB of log a second$/);
    const { blocks } = statSync(logOf(deployment, 'build'));
    expect(blocks * BLOCK_BYTES).toBeLessThanOrEqual(LOG_LIMIT_BYTES);
  });

  test.skipIf(!process.env.BELAY_NIGHTLY)(
    'a hook may write 1 GB of log at once',
    { timeout: 120_000 },
    async () => {
      const gigabyte = `
        const { writeSync } = require('node:fs');
        const chunk = ('x'.repeat(1023) + '\\n').repeat(1024);
        for (let i = 0; i < 1024; i += 1) writeSync(1, chunk);`;
      const build = 'node build.cjs';
      const deployment = await house.deployed(version({ build }, { 'build.cjs': gigabyte }));
      if (deployment.state !== 'succeeded') {
        expect(deployment.cause).toMatch(/^build wrote more than 20 MB of log a second$/);
      }
      const { blocks, size } = statSync(logOf(deployment, 'build'));
      expect(size).toBeGreaterThan(LOG_LIMIT_BYTES);
      expect(blocks * BLOCK_BYTES).toBeLessThanOrEqual(LOG_LIMIT_BYTES);
    },
  );
});
