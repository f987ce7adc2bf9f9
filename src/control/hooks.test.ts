import { describe, expect, it } from 'vitest';
import {
  configuration,
  deployRequest,
  SimulatedControl,
} from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import type { Configuration, Hook, Hooks } from '../model/configuration.ts';

/** The quick suite takes some boundaries of the walk, the nightly takes all. */
const STRIDE = process.env.BELAY_NIGHTLY ? 1 : 4;

const hook = (program: string, change: Partial<Hook> = {}): Hook => ({
  command: [program],
  variables: {},
  timeoutMs: 60_000,
  limits: { memoryBytes: null, cpu: null },
  turnsBack: true,
  ...change,
});

const having = (hooks: Partial<Hooks>): Partial<Configuration> => ({
  hooks: { ...configuration.hooks, ...hooks },
});

/** Release 1 of no hooks serves. */
async function running(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  expect((await simulated.settled()).state).toBe('succeeded');
  return simulated;
}

const slotIds = async ({ runtime }: SimulatedControl) => (await runtime.list()).map(({ id }) => id);

describe('a build', () => {
  it('makes an image, in which the instances of its release run', async () => {
    await using simulated = await running();
    await simulated.deploy('two', having({ build: hook('make') }));
    const { state, hooks } = await simulated.settled();
    expect(state).toBe('succeeded');
    expect(hooks).toMatchObject([{ hook: 'build', state: 'passed', cause: null }]);
    const release = simulated.control.queries.release('shop', 'production', 2);
    expect(release.directory).toBe('/versions/two.built-make');
  });

  it('is made once for a version and a command', async () => {
    await using simulated = await running();
    const build = having({ build: hook('make') });
    await simulated.deploy('two', build);
    await simulated.settled();
    await simulated.deploy('three', build);
    await simulated.settled();
    await simulated.deploy('two', build);
    expect((await simulated.settled()).hooks).toMatchObject([{ state: 'kept', startedAt: null }]);
    await simulated.deploy('two', having({ build: hook('other') }));
    expect((await simulated.settled()).hooks).toMatchObject([{ state: 'passed' }]);
  });
});

describe('a build that two environments want', () => {
  it('is made by one of them, and the other waits', async () => {
    await using simulated = await running();
    const build = having({ build: hook('make', { timeoutMs: 10_000 }) });
    await simulated.deploy('two', build);
    await simulated.until('it builds', async () => (await slotIds(simulated)).length === 4);
    const where = { application: 'shop', environment: 'staging' };
    const plain = { by: null, message: null, force: true, otherwise: 'refuse' as const };
    const domains = ['staging.shop.localhost'];
    await simulated.control.operations.ask(
      where,
      deployRequest('two', { ...build, domains }),
      plain,
    );
    await simulated.settled();
    const staged = () => simulated.store.deployments('shop/staging', 1)[0];
    await simulated.until('staging is done', () => staged()?.state === 'succeeded');
    expect(staged()?.hooks).toMatchObject([{ state: 'kept', startedAt: null }]);
  });
});

describe('a migration', () => {
  it('runs before any instance starts, and once', async () => {
    await using simulated = await running();
    const before = (await slotIds(simulated)).sort();
    await simulated.deploy('two', having({ migrate: hook('migrate') }));
    await simulated.until('it runs', async () => (await slotIds(simulated)).length === 4);
    const ids = await slotIds(simulated);
    const [migration] = ids.filter((id) => id.startsWith('migrate-'));
    expect(ids.filter((id) => id !== migration).sort()).toEqual(before);
    expect(simulated.edge.snapshot?.pools.map(({ release }) => release)).toEqual([1]);
    expect((await simulated.settled()).hooks).toMatchObject([{ id: migration, state: 'passed' }]);
  });

  it('that fails leaves fleet, routing and capacity as they were, and says why', async () => {
    await using simulated = await running();
    const before = await slotIds(simulated);
    const { snapshot } = simulated.edge;
    simulated.hookEnds.set('migrate', { afterMs: 50, code: 7 });
    const web = { ...configuration.web, capacity: { min: 2, desired: 5, max: 6 } };
    const domains = ['other.localhost'];
    await simulated.deploy('two', { ...having({ migrate: hook('migrate') }), web, domains });
    expect(await simulated.settled()).toMatchObject({
      state: 'rolled-back',
      cause: 'migrate exited with code 7',
      hooks: [{ state: 'failed' }],
    });
    expect(await slotIds(simulated)).toEqual(before);
    expect(simulated.edge.snapshot).toEqual(snapshot);
    expect((await simulated.status()).capacity.desired).toBe(3);
  });

  it('that is killed has failed, and is not run a second time', async () => {
    await using simulated = await running();
    simulated.hookEnds.set('migrate', { afterMs: 10_000, code: 0 });
    await simulated.deploy('two', having({ migrate: hook('migrate') }));
    const migrations = async () =>
      (await slotIds(simulated)).filter((id) => id.startsWith('migrate-'));
    await simulated.until('it runs', async () => (await migrations()).length === 1);
    const [id = ''] = await migrations();
    simulated.runtime.kill(id);
    expect(await simulated.settled()).toMatchObject({
      state: 'rolled-back',
      cause: 'migrate killed by SIGKILL',
    });
    const { steps } = simulated.control.queries.deployment('shop', 'production', 2);
    expect(steps.filter(({ step }) => step.kind === 'run-hook')).toHaveLength(1);
  });

  it('is not run again by a restart or a rollback', async () => {
    await using simulated = await running();
    await simulated.deploy('two', having({ migrate: hook('migrate') }));
    await simulated.settled();
    const manner = { otherwise: 'refuse' as const };
    await simulated.ask({ kind: 'restart' }, manner);
    expect((await simulated.settled()).hooks).toEqual([]);
    await simulated.ask({ kind: 'rollback', to: 1 }, manner);
    await simulated.settled();
    await simulated.ask({ kind: 'rollback', to: 2 }, manner);
    expect(await simulated.settled()).toMatchObject({ state: 'succeeded', to: 2, hooks: [] });
  });
});

describe('a hook', () => {
  it('is ended at its deadline, and nothing of it is left', async () => {
    await using simulated = await running();
    simulated.hookEnds.set('build', { afterMs: 10_000_000, code: 0 });
    await simulated.deploy('two', having({ build: hook('make', { timeoutMs: 5_000 }) }));
    expect(await simulated.settled()).toMatchObject({
      state: 'rolled-back',
      cause: 'build was not done within 5 s',
    });
    expect(await slotIds(simulated)).toHaveLength(3);
  });

  it('has its newest log under its name, and none where it never ran', async () => {
    await using simulated = await running();
    const logs = (name: 'build' | 'migrate') =>
      simulated.control.logs.tail('shop', 'production', { hook: name }, { tail: 10 });
    await simulated.deploy('two', having({ migrate: hook('migrate') }));
    const { hooks } = await simulated.settled();
    expect(await logs('migrate')).toEqual([{ instance: hooks[0]?.id, release: 2, lines: [] }]);
    const refused = (await logs('build').catch((fault: unknown) => fault)) as Fault;
    expect(refused.code).toBe('hook-never-ran');
  });
});

describe('a postdeploy hook that fails', () => {
  it('turns the deployment back, unless it is only to be told', async () => {
    await using simulated = await running();
    simulated.hookEnds.set('postdeploy', { afterMs: 50, code: 1 });
    await simulated.deploy('two', having({ postdeploy: hook('smoke') }));
    expect((await simulated.settled()).state).toBe('rolled-back');
    await simulated.deploy('two', having({ postdeploy: hook('smoke', { turnsBack: false }) }));
    expect(await simulated.settled()).toMatchObject({
      state: 'succeeded',
      hooks: [{ state: 'failed', cause: 'postdeploy exited with code 1' }],
    });
  });
});

describe('a bootstrap', () => {
  it('is told with what it took of the start', async () => {
    await using simulated = await running();
    simulated.behaviours.set('two', { bootstrapMs: 400 });
    const web = { ...configuration.web, bootstrap: ['warm-up'] };
    await simulated.deploy('two', { web });
    expect((await simulated.settled()).boot).toMatchObject({ bootstrapMs: 400 });
    const { instances } = await simulated.status();
    expect(instances[0]?.boot).toMatchObject({ bootstrapMs: 400 });
    expect(instances[0]?.boot?.bootMs).toBeGreaterThanOrEqual(700);
  });
});

describe('a daemon that dies amid hooks', () => {
  const every = having({
    build: hook('make'),
    migrate: hook('migrate'),
    postdeploy: hook('smoke'),
  });

  it.each([
    ['succeeded', 0],
    ['rolled-back', 1],
  ])('ends as it would have: %s', { timeout: 120_000 }, async (verdict, code) => {
    for (let crashAt = 1; ; crashAt += STRIDE) {
      await using simulated = await running();
      await simulated.control.close();
      await simulated.start(crashAt);
      simulated.hookEnds.set('migrate', { afterMs: 100, code });
      await simulated.deploy('two', every);
      await simulated.until(
        'it has crashed or ended',
        () => simulated.crashed || simulated.deployment()?.endedAt != null,
      );
      const { crashed } = simulated;
      if (crashed) await simulated.start();
      expect((await simulated.settled()).state, `crashed at ${crashAt}`).toBe(verdict);
      await simulated.until('three serve', async () => (await slotIds(simulated)).length === 3);
      const { instances } = await simulated.status();
      expect(new Set(instances.map(({ release }) => release)).size).toBe(1);
      if (!crashed) break;
    }
  });
});
