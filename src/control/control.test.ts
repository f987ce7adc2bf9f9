import { describe, expect, it } from 'vitest';
import {
  configuration,
  deployRequest,
  SimulatedControl,
} from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import type { TargetStatus } from '../model/target.ts';

async function running(digest = 'one'): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy(digest);
  expect((await simulated.settled()).state).toBe('succeeded');
  return simulated;
}

const faultOf = async (work: () => unknown): Promise<Fault> => {
  try {
    await work();
  } catch (fault) {
    return fault as Fault;
  }
  throw new Error('it was not refused');
};

describe('a deployment', () => {
  it('brings an environment up and says so', async () => {
    await using simulated = await running();
    const status = await simulated.status();
    expect(status).toMatchObject({ status: 'ready', health: 'ok', release: 1, version: 'v1' });
    expect(status.cause).toBe('3 instances in service in 2 zones');
    expect(status.instances.map(({ state }) => state)).toEqual(Array(3).fill('in-service'));
  });

  it('moves every instance to the new release and leaves no slot behind', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    expect((await simulated.settled()).state).toBe('succeeded');
    const slots = await simulated.runtime.list();
    expect(slots.map(({ release }) => release)).toEqual([2, 2, 2]);
    expect(simulated.edge.snapshot?.pools.map(({ release }) => release)).toEqual([2]);
  });

  it('does not look without rest at an instance that takes its time to stop', async () => {
    await using simulated = new SimulatedControl();
    simulated.behaviours.set('one', { stopMs: null });
    const { list } = simulated.runtime;
    let looks = 0;
    simulated.runtime.list = () => {
      looks += 1;
      return list();
    };
    await simulated.start();
    await simulated.deploy('one');
    await simulated.settled();
    await simulated.deploy('two');
    const stopping = async () =>
      (await simulated.status()).instances.filter(({ state }) => state === 'terminating');
    await simulated.until('all old ones are stopping', async () => (await stopping()).length === 3);
    looks = 0;
    await simulated.clock.advance(5_000);
    expect(await stopping()).toHaveLength(3);
    expect(looks).toBeLessThan(20);
  });

  it('does nothing for the same content when told to skip it', async () => {
    await using simulated = await running();
    const outcome = await simulated.ask({ ...deployRequest('one'), unchanged: 'skip' });
    expect(outcome).toEqual({ deployment: null, ticket: null });
  });

  it('goes back with the cause and the log when the new version exits at boot', async () => {
    await using simulated = await running();
    simulated.behaviours.set('bad', { exits: { afterMs: 50, code: 3 } });
    await simulated.deploy('bad');
    const deployment = await simulated.settled();
    expect(deployment).toMatchObject({ state: 'rolled-back', from: 1, to: 2 });
    expect(deployment.cause).toMatch(/exited with code 3 before it was healthy/);
    expect((await simulated.status()).release).toBe(1);
    expect((await simulated.runtime.list()).map(({ release }) => release)).toEqual([1, 1, 1]);
  });

  it('takes the capacity back with the release', async () => {
    await using simulated = await running();
    simulated.behaviours.set('bad', { exits: { afterMs: 50, code: 3 } });
    const web = { ...configuration.web, capacity: { min: 5, desired: 5, max: 5 } };
    await simulated.deploy('bad', { web });
    await simulated.settled();
    expect((await simulated.status()).capacity).toEqual(configuration.web.capacity);
  });

  it('keeps what was scaled by hand when the configuration does not change it', async () => {
    await using simulated = await running();
    simulated.control.operations.scale('shop', 'production', { desired: 5 });
    await simulated.deploy('two');
    await simulated.settled();
    expect((await simulated.status()).capacity.desired).toBe(5);
  });
});

describe('a rollback', () => {
  it('restores code and configuration together', async () => {
    await using simulated = await running();
    const web = { ...configuration.web, variables: { GREETING: 'new' } };
    await simulated.deploy('two', { web });
    await simulated.settled();
    await simulated.ask({ kind: 'rollback', to: null });
    expect(await simulated.settled()).toMatchObject({
      kind: 'rollback',
      state: 'succeeded',
      to: 1,
    });
    expect(simulated.control.queries.variables('shop', 'production')).toEqual([]);
    expect((await simulated.status()).version).toBe('v1');
  });

  it('passes over restarts of the same content', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await simulated.settled();
    await simulated.ask({ kind: 'restart' });
    await simulated.settled();
    await simulated.ask({ kind: 'rollback', to: null });
    expect(await simulated.settled()).toMatchObject({ from: 3, to: 1 });
  });

  it('is refused when there is nothing to go back to, with the next command', async () => {
    await using simulated = await running();
    const fault = await faultOf(() => simulated.ask({ kind: 'rollback', to: null }));
    expect(fault.code).toBe('nothing-to-roll-back-to');
    expect(fault.hint).toContain('belay deploy');
  });
});

describe('a fixed address', () => {
  const web = { ...configuration.web, start: null, upstream: 'http://127.0.0.1:9001' };

  async function point(simulated: SimulatedControl): Promise<void> {
    await simulated.ask({ ...deployRequest('', { web }), version: null });
  }

  const targets = (simulated: SimulatedControl) =>
    simulated.edge.snapshot?.pools.flatMap((pool) => pool.targets.map(({ id }) => id)) ?? [];

  it('takes over from instances once it is healthy, and gives back to them', async () => {
    await using simulated = await running();
    await point(simulated);
    expect((await simulated.settled()).state).toBe('succeeded');
    expect(targets(simulated)).toEqual(['fixed']);
    expect(await simulated.runtime.list()).toEqual([]);
    const deep = { passed: true, description: '', parts: [] };
    const [pool] = simulated.edge.snapshot?.pools ?? [];
    simulated.edge.setJudgement(pool?.id ?? '', 'fixed', { deep });
    const { health, fixed } = await simulated.status();
    expect(health).toBe('ok');
    expect(fixed).toEqual({ health: 'healthy', reason: '', ejection: null, deep });
    await simulated.deploy('two');
    expect((await simulated.settled()).state).toBe('succeeded');
    expect((await simulated.status()).fixed).toBeNull();
    expect(targets(simulated)).toHaveLength(3);
    expect(targets(simulated)).not.toContain('fixed');
  });

  it('goes back to the instances when it never becomes healthy, and stops none of them', async () => {
    await using simulated = await running();
    simulated.healths.set('', 'initial');
    await point(simulated);
    await simulated.until('it has waited a while', async () => {
      expect(targets(simulated).filter((id) => id !== 'fixed')).toHaveLength(3);
      return simulated.deployment()?.state !== 'running';
    });
    const deployment = await simulated.settled();
    expect(deployment.state).toBe('rolled-back');
    expect(deployment.cause).toMatch(/^the fixed address is not healthy/);
    expect(targets(simulated)).not.toContain('fixed');
  });
});

describe('operations at once', () => {
  it('refuses a second one and names the first', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    const fault = await faultOf(() => simulated.deploy('three'));
    expect(fault.code).toBe('operation-in-progress');
    expect(fault.message).toMatch(/^deploy 2 of shop\/production is running since /);
    expect(fault.hint).toMatch(/belay attach.*--abort/);
  });

  it('refuses an abort of what goes back already', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await simulated.until('a new one serves', async () =>
      (await simulated.status()).instances.some((each) => each.release === 2),
    );
    simulated.control.operations.abort('shop', 'production');
    const fault = await faultOf(() => simulated.control.operations.abort('shop', 'production'));
    expect(fault.code).toBe('already-going-back');
    expect((await simulated.settled()).state).toBe('aborted');
  });

  it('lets an environment be terminated amid a deployment', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await simulated.clock.advance(100);
    simulated.control.operations.terminate('shop', 'production');
    await simulated.until('it is gone', async () => (await simulated.runtime.list()).length === 0);
    expect((await simulated.settled()).state).toBe('aborted');
    await simulated.clock.advance(100);
    expect(simulated.edge.snapshot?.rules).toEqual([]);
  });
});

describe('healing', () => {
  it('replaces a killed instance and says what happened', async () => {
    await using simulated = await running();
    await simulated.clock.advance(30_000);
    const [victim] = (await simulated.status()).instances;
    simulated.runtime.kill(victim?.id ?? '');
    await simulated.until('three serve again', async () => {
      const { instances } = await simulated.status();
      return instances.length === 3 && instances.every(({ state }) => state === 'in-service');
    });
    const events = simulated.store.events({ after: 0, limit: 1_000 });
    expect(events.filter(({ type }) => type === 'instance-died')).toMatchObject([
      { instance: victim?.id, message: `${victim?.id} killed by SIGKILL` },
    ]);
  });

  it('says that a release is crash-looping, in an event and in the status, and waits longer', async () => {
    await using simulated = await running();
    simulated.behaviours.set('one', { exits: { afterMs: 100, code: 7 } });
    await simulated.clock.advance(30_000);
    for (const { id } of (await simulated.status()).instances) simulated.runtime.kill(id);
    await simulated.clock.advance(20_000);
    const status = await simulated.status();
    expect(status.health).toBe('severe');
    expect(status.cause).toMatch(/crash-looping: \d+ instances .* exited with code 7; next try in/);
    const events = simulated.store.events({ after: 0, limit: 10_000 });
    expect(events.filter(({ type }) => type === 'crash-looping')).toHaveLength(1);
    const launches = events.filter(({ type }) => type === 'instance-launched');
    expect(launches.length).toBeLessThan(16);
  });

  it('tells what its instances depend on, and which are left out, and replaces none', async () => {
    await using simulated = await running();
    const before = (await simulated.status()).instances.map(({ id }) => id);
    const [pool] = simulated.edge.snapshot?.pools ?? [];
    const judge = (judgement: Partial<Pick<TargetStatus, 'deep' | 'ejection'>>) => {
      for (const { id } of pool?.targets ?? []) {
        simulated.edge.setJudgement(pool?.id ?? '', id, judgement);
      }
    };
    const parts = [{ name: 'database', passed: false, detail: 'connection refused' }];
    judge({ deep: { passed: false, description: 'database: connection refused', parts } });
    expect(await simulated.status()).toMatchObject({
      health: 'degraded',
      cause: 'database: connection refused on 3 of 3 instances',
    });
    judge({ deep: { passed: true, description: '', parts: [] } });
    judge({ ejection: '5 errors in a row; left out for 30 s' });
    expect(await simulated.status()).toMatchObject({ health: 'warning' });
    judge({ ejection: null });
    await simulated.clock.advance(30_000);
    const after = await simulated.status();
    expect(after.health).toBe('ok');
    expect(after.instances.map(({ id }) => id)).toEqual(before);
    const told = simulated.store
      .events({ after: 0, limit: 1_000 })
      .filter(({ type }) => /^dependency-|left-out$|taken-back$/.test(type));
    expect(told.map(({ type }) => type)).toEqual([
      'dependency-failing',
      'dependency-recovered',
      ...Array(3).fill('instance-left-out'),
      ...Array(3).fill('instance-taken-back'),
    ]);
  });

  it('carries on when the edge cannot be reached for a while', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await simulated.clock.advance(400);
    simulated.edge.setReachable(false);
    await simulated.clock.advance(5_000);
    simulated.edge.setReachable(true);
    expect((await simulated.settled()).state).toBe('succeeded');
  });
});

describe('a daemon that dies at a boundary between two writes', () => {
  /** Dies at boundary `crashAt` of a deployment; the next life carries on. */
  async function dieAt(
    crashAt: number,
    digest: string,
    prepare: (simulated: SimulatedControl) => void = () => {},
  ): Promise<boolean> {
    await using simulated = await running();
    prepare(simulated);
    await simulated.control.close();
    await simulated.start(crashAt);
    await simulated.deploy(digest).catch(() => {});
    const goes = () => simulated.crashed || !/^r.*ing/.test(simulated.deployment()?.state ?? '');
    await simulated.until('it dies or settles', goes);
    const { crashed } = simulated;
    if (crashed) await simulated.start();
    const deployment = await simulated.settled();
    expect(deployment.state).toBe(digest === 'bad' ? 'rolled-back' : 'succeeded');
    await simulated.clock.advance(2_000);
    const release = digest === 'bad' ? 1 : 2;
    const status = await simulated.status();
    expect(status.release).toBe(release);
    expect(status.instances.map((each) => [each.release, each.state])).toEqual(
      Array(3).fill([release, 'in-service']),
    );
    expect(await simulated.runtime.list()).toHaveLength(3);
    const steps = simulated.store.steps('shop/production', deployment.number);
    expect(steps.filter(({ state }) => state === 'planned')).toEqual([]);
    return crashed;
  }

  it('carries on to the same verdict, wherever it was', async () => {
    let boundary = 1;
    while (await dieAt(boundary, 'two')) boundary += 1;
    expect(boundary).toBeGreaterThan(30);
  });

  it('goes back just the same from a bad version', async () => {
    const bad = (simulated: SimulatedControl) =>
      simulated.behaviours.set('bad', { exits: { afterMs: 50, code: 3 } });
    let boundary = 1;
    while (await dieAt(boundary, 'bad', bad)) boundary += 1;
    expect(boundary).toBeGreaterThan(6);
  });
});
