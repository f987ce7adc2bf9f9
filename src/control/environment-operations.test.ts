import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import { isRunning } from '../model/deployment.ts';
import { withSaved } from '../model/saved-configuration.ts';

const asked = { by: 'ann', message: null, overrides: [] };

async function production(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await settled(simulated, 'production');
  return simulated;
}

async function settled(simulated: SimulatedControl, environment: string) {
  const last = () => simulated.store.deployments(`shop/${environment}`, 1)[0];
  await simulated.until('the deployment is settled', () => {
    const deployment = last();
    return deployment !== undefined && !isRunning(deployment);
  });
  return last();
}

const refusal = async (work: Promise<unknown>): Promise<Fault> =>
  await work.then(
    () => {
      throw new Error('it was not refused');
    },
    (fault: Fault) => fault,
  );

const clone = (simulated: SimulatedControl, changes: object = {}) =>
  simulated.control.environments.clone(
    'shop',
    'production',
    { name: 'staging', configuration: null, variables: {}, ...changes },
    asked,
  );

const releaseOf = (simulated: SimulatedControl, environment: string, number: number) =>
  simulated.control.queries.release('shop', environment, number);

describe('an environment that is created', () => {
  it('runs a version that is there already', async () => {
    await using simulated = await production();
    const domains = ['qa.shop.localhost'];
    await simulated.control.environments.create(
      'shop',
      'qa',
      { configuration: { ...configuration, domains }, variables: { A: '1' }, version: 'v1' },
      asked,
    );
    expect(await settled(simulated, 'qa')).toMatchObject({ state: 'succeeded', by: 'ann' });
    const view = await simulated.control.queries.environment('shop', 'qa');
    expect(view).toMatchObject({ version: 'v1', domains, status: 'ready' });
    expect(simulated.control.queries.variables('shop', 'qa')).toEqual([
      { name: 'A', value: '1', source: 'environment' },
    ]);
  });

  it('is refused under a name that is taken, badly formed, or of a version that is not there', async () => {
    await using simulated = await production();
    const create = (name: string, version: string) =>
      refusal(
        simulated.control.environments.create(
          'shop',
          name,
          { configuration, variables: {}, version },
          asked,
        ),
      );
    expect(await create('production', 'v1')).toMatchObject({ code: 'environment-exists' });
    expect(await create('My_QA', 'v1')).toMatchObject({
      code: 'bad-name',
      hint: "'my-qa' would do",
    });
    expect(await create('qa', 'v9')).toMatchObject({ code: 'unknown-version' });
    // Its names are production's.
    expect(await create('qa', 'v1')).toMatchObject({ code: 'domain-taken' });
    expect(simulated.store.environments()).toHaveLength(1);
  });
});

describe('a clone', () => {
  it('runs the same release, at the capacity there is, under a name of its own', async () => {
    await using simulated = await production();
    simulated.control.operations.scale('shop', 'production', { desired: 4 });
    await simulated.ask({ kind: 'env', set: { API_KEY: 'secret' }, unset: [] });
    await settled(simulated, 'production');
    await clone(simulated);
    expect(await settled(simulated, 'staging')).toMatchObject({ state: 'succeeded' });
    const view = await simulated.control.queries.environment('shop', 'staging');
    expect(view).toMatchObject({
      version: 'v1',
      capacity: { min: 2, desired: 4, max: 6 },
      domains: ['staging.shop.localhost'],
    });
    const made = releaseOf(simulated, 'staging', 1);
    expect(made).toMatchObject({ reason: 'clone', variables: { API_KEY: 'secret' } });
  });

  it('is refused whole when what is said cannot be', async () => {
    await using simulated = await production();
    const code = async (changes: object) => (await refusal(clone(simulated, changes))).code;
    expect(await code({ max: 1 })).toBe('bad-capacity');
    expect(await code({ domains: ['shop.localhost'] })).toBe('domain-taken');
    expect(await code({ name: 'production' })).toBe('environment-exists');
    expect(simulated.store.releases('shop/staging')).toEqual([]);
  });
});

describe('a rebuild', () => {
  it('ends every instance and makes as many new ones under the same names', async () => {
    await using simulated = await production();
    simulated.control.operations.scale('shop', 'production', { desired: 4 });
    await simulated.until('four are in service', async () => {
      const { instances } = await simulated.status();
      return instances.length === 4 && instances.every(({ state }) => state === 'in-service');
    });
    const before = (await simulated.status()).instances.map(({ id }) => id);
    await simulated.control.environments.rebuild('shop', 'production', asked);
    const during = await simulated.status();
    expect(
      during.instances.filter(({ id }) => before.includes(id)).map(({ state }) => state),
    ).toEqual(Array(4).fill('draining'));
    expect(during.domains).toEqual(['shop.localhost']);
    expect(await settled(simulated, 'production')).toMatchObject({
      kind: 'rebuild',
      from: null,
      state: 'succeeded',
    });
    const after = await simulated.status();
    expect(after).toMatchObject({ release: 2, version: 'v1', capacity: { desired: 4 } });
    expect(after.instances).toHaveLength(4);
    expect(after.instances.some(({ id }) => before.includes(id))).toBe(false);
  });

  it('replaces a fleet of which nobody is healthy, whatever the policy', async () => {
    await using simulated = await production();
    for (const policy of ['rolling', 'canary', 'blue-green'] as const) {
      const rollout = { ...configuration.rollout, policy, extra: 0 };
      simulated.healths.set(policy, 'healthy');
      await simulated.deploy(policy, { rollout: { ...rollout, percent: 50, minRequests: 1 } });
      if (policy === 'canary') simulated.control.operations.promote('shop', 'production');
      expect(await settled(simulated, 'production')).toMatchObject({ state: 'succeeded' });
      simulated.healths.set(policy, 'unhealthy');
      await simulated.clock.advance(500);
      await simulated.control.environments.rebuild('shop', 'production', asked);
      simulated.healths.set(policy, 'healthy');
      expect(await settled(simulated, 'production')).toMatchObject({ state: 'succeeded' });
    }
  });

  it('brings a terminated environment back as it was', async () => {
    await using simulated = await production();
    simulated.control.operations.scale('shop', 'production', { desired: 4 });
    simulated.control.operations.terminate('shop', 'production');
    const stored = () => simulated.store.environments()[0];
    await simulated.until('it is gone', () => stored()?.status === 'terminated');
    expect(stored()?.terminatedAt).toBeGreaterThan(0);
    expect(simulated.control.queries.terminated()).toMatchObject([
      { environment: 'production', release: 1, version: 'v1' },
    ]);
    await simulated.control.environments.rebuild('shop', 'production', asked);
    expect(await settled(simulated, 'production')).toMatchObject({ state: 'succeeded' });
    expect(await simulated.status()).toMatchObject({ version: 'v1', capacity: { desired: 4 } });
    expect(stored()?.terminatedAt).toBeNull();
  });

  it('leaves the environment with its release when it fails', async () => {
    await using simulated = await production();
    simulated.behaviours.set('one', { exits: { afterMs: 50, code: 3 } });
    await simulated.control.environments.rebuild('shop', 'production', asked);
    expect(await settled(simulated, 'production')).toMatchObject({ state: 'failed' });
    expect(await simulated.status()).toMatchObject({ release: 1, domains: ['shop.localhost'] });
    simulated.behaviours.delete('one');
    await simulated.until(
      'it heals',
      async () => (await simulated.status()).health === 'ok',
      600_000,
    );
  });

  it('can be aborted, and leaves the environment with its release', async () => {
    await using simulated = await production();
    simulated.behaviours.set('one', { bootMs: 60_000 });
    await simulated.control.environments.rebuild('shop', 'production', asked);
    simulated.control.operations.abort('shop', 'production');
    expect(await settled(simulated, 'production')).toMatchObject({ state: 'aborted' });
    simulated.behaviours.delete('one');
    await simulated.until(
      'it serves again',
      async () => (await simulated.status()).health === 'ok',
    );
    expect(await simulated.status()).toMatchObject({ release: 1, status: 'ready' });
  });

  it('goes on in the next life when the daemon dies amid it', async () => {
    await using simulated = await production();
    await simulated.control.close();
    await simulated.start(5);
    await simulated.control.environments.rebuild('shop', 'production', asked);
    await simulated.until('it has died', async () => simulated.crashed);
    await simulated.bury();
    await simulated.start();
    expect(await settled(simulated, 'production')).toMatchObject({
      kind: 'rebuild',
      state: 'succeeded',
    });
    const { instances } = await simulated.status();
    expect(instances.map(({ release }) => release)).toEqual([2, 2, 2]);
  });

  it('is refused during a deployment, and of what is not there or never ran', async () => {
    await using simulated = await production();
    const rebuild = (name: string) =>
      refusal(simulated.control.environments.rebuild('shop', name, asked));
    expect(await rebuild('qa')).toMatchObject({ code: 'unknown-environment' });
    await simulated.deploy('two');
    expect(await rebuild('production')).toMatchObject({ code: 'operation-in-progress' });
  });
});

describe('a saved configuration', () => {
  it('keeps what an environment runs by, with its variables and capacity as they are', async () => {
    await using simulated = await production();
    simulated.control.operations.scale('shop', 'production', { desired: 4 });
    await simulated.ask({ kind: 'env', set: { API_KEY: 'secret' }, unset: [] });
    await settled(simulated, 'production');
    const { savedConfigurations } = simulated.control;
    const how = { environment: 'production', message: 'before the sale', replace: false };
    savedConfigurations.save('shop', 'sale', how);
    const { configuration: saved } = savedConfigurations.find('shop', 'sale');
    expect(saved.web).toMatchObject({
      capacity: { min: 2, desired: 4, max: 6 },
      variables: { API_KEY: 'secret' },
    });
    expect(() => savedConfigurations.save('shop', 'sale', how)).toThrow(
      expect.objectContaining({ code: 'saved-configuration-exists' }),
    );
    expect(() => savedConfigurations.save('shop', 'Sale 2', how)).toThrow(
      expect.objectContaining({ code: 'bad-name', hint: "'sale-2' would do" }),
    );
    savedConfigurations.save('shop', 'sale', { ...how, replace: true });
    expect(savedConfigurations.list('shop').map(({ name }) => name)).toEqual(['sale']);
    expect(savedConfigurations.list('other')).toEqual([]);
    savedConfigurations.delete('shop', 'sale');
    expect(() => savedConfigurations.find('shop', 'sale')).toThrow(
      expect.objectContaining({ code: 'unknown-saved-configuration' }),
    );
  });

  it('leaves to the code how it is started, and to each environment its names', () => {
    const own = { ...configuration, domains: ['qa.localhost'] };
    const saved = { ...configuration, web: { ...configuration.web, start: ['old'], drainMs: 1 } };
    expect(withSaved(own, saved)).toEqual({ ...own, web: { ...own.web, drainMs: 1 } });
  });
});
