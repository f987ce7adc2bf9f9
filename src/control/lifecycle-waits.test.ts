import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import { DEFAULT_GROUP, type Group } from '../model/group.ts';
import { NO_SCALING, type Scaling } from '../model/scaling.ts';
import type { InstanceView } from '../model/view.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const where = { application: 'shop', environment: 'production' };

const grouped = (group: Partial<Group>) => ({
  web: {
    ...configuration.web,
    capacity: { min: 1, desired: 1, max: 2 },
    group: { ...DEFAULT_GROUP, ...group },
  },
});

/** One is up and waits before it takes traffic. */
async function launching(heartbeatMs = HOUR_MS): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one', grouped({ launching: { heartbeatMs, otherwise: 'abandon' } }));
  await simulated.until('one waits', async () => (await waiting(simulated)) !== null);
  return simulated;
}

/** One has drained and waits before it is stopped; another serves. */
async function terminating(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  const terminating = { heartbeatMs: HOUR_MS, otherwise: 'continue' } as const;
  await simulated.deploy('one', grouped({ terminating }));
  await simulated.settled();
  await simulated.deploy('two', grouped({}));
  await simulated.until('one waits', async () => (await waiting(simulated)) !== null);
  return simulated;
}

async function waiting(simulated: SimulatedControl): Promise<InstanceView | null> {
  return (await simulated.status()).instances.find(({ wait }) => wait !== null) ?? null;
}

async function idOfWaiting(simulated: SimulatedControl): Promise<string> {
  const instance = await waiting(simulated);
  if (!instance) throw new Error('none waits');
  return instance.id;
}

const isInService = (simulated: SimulatedControl, id: string) => async () =>
  (await simulated.status()).instances.some(
    (each) => each.id === id && each.state === 'in-service',
  );

const isGone = (simulated: SimulatedControl, id: string) => async () =>
  !(await simulated.status()).instances.some((each) => each.id === id);

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (fault) {
    return (fault as Fault).code;
  }
  throw new Error('it was not refused');
};

describe('an instance that waits before it takes traffic', () => {
  it('is up, is not routed to, and tells how to answer', async () => {
    await using simulated = await launching();
    const instance = await waiting(simulated);
    expect(instance).toMatchObject({
      ...{ state: 'pending', health: 'healthy' },
      wait: { turn: 'launching', otherwise: 'abandon' },
    });
    const targets = simulated.edge.snapshot?.pools.flatMap((pool) => pool.targets) ?? [];
    expect(targets.map(({ state }) => state)).toEqual(['standby']);
    const told = simulated.store
      .events({ environment: 'shop/production', after: 0, limit: 100 })
      .find(({ type }) => type === 'instance-waits');
    expect(told?.message).toContain(`belay instance continue ${instance?.id}, or abandon`);
    expect(told?.message).toContain('unanswered for 60 min: abandon');
    expect((await simulated.status()).cause).toBe(
      `deploy 1 is running: 0 instances run release 1; ${instance?.id} waits for: belay instance continue ${instance?.id}`,
    );
  });

  it('serves when it is told to go on, and so does its deployment', async () => {
    await using simulated = await launching();
    await simulated.clock.advance(20 * MINUTE_MS);
    const id = await idOfWaiting(simulated);
    simulated.control.operations.answerWait(where, id, 'continue', 'ann');
    await simulated.until('it serves', isInService(simulated, id), 1_000);
    expect((await simulated.settled()).state).toBe('succeeded');
    const { boot } = (await simulated.status()).instances[0] ?? {};
    expect(boot?.bootMs).toBeLessThan(1_000);
  });

  it('is replaced once when it is abandoned, and the second time the deployment fails', async () => {
    await using simulated = await launching();
    for (let round = 0; round < 2; round += 1) {
      await simulated.until('one waits', async () => (await waiting(simulated)) !== null);
      const id = await idOfWaiting(simulated);
      simulated.control.operations.answerWait(where, id, 'abandon', null);
      await simulated.until('it is gone', isGone(simulated, id));
    }
    const { state, cause } = await simulated.settled();
    expect([state, cause]).toEqual(['failed', expect.stringMatching(/was abandoned before/)]);
  });

  it('lets the cool-down of a scale-out begin when it is over', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    const track = { kind: 'track', metric: 'concurrency', source: null, target: 10, scaleIn: true };
    const scaling = {
      ...NO_SCALING,
      ...{ policies: [track], cooldownMs: 2 * MINUTE_MS, stabilizationMs: 0 },
    } as Scaling;
    const { web } = grouped({ launching: { heartbeatMs: HOUR_MS, otherwise: 'abandon' } });
    const { operations } = simulated.control;
    await simulated.deploy('one', { web: { ...web, scaling } });
    const answer = async () => {
      await simulated.until('one waits', async () => (await waiting(simulated)) !== null);
      operations.answerWait(where, await idOfWaiting(simulated), 'continue', null);
    };
    await answer();
    await simulated.settled();
    const [first] = (await simulated.status()).instances;
    const load = (inFlight: number) =>
      simulated.edge.setInside('shop/production#1', first?.id ?? '', { inFlight, tunnels: 0 });
    const desired = async () => (await simulated.status()).capacity.desired;
    load(20);
    await simulated.until('two are desired', async () => (await desired()) === 2);
    await simulated.until('one waits', async () => (await waiting(simulated)) !== null);
    load(0);
    await simulated.clock.advance(10 * MINUTE_MS);
    expect(await desired()).toBe(2);
    await answer();
    await simulated.clock.advance(MINUTE_MS);
    expect(await desired()).toBe(2);
    await simulated.clock.advance(2 * MINUTE_MS);
    expect(await desired()).toBe(1);
  });

  it('ends with its deployment when that is aborted', async () => {
    await using simulated = await launching();
    simulated.control.operations.abort('shop', 'production');
    expect((await simulated.settled()).state).toBe('aborted');
    expect(await simulated.runtime.list()).toEqual([]);
  });

  it('ends with its environment', async () => {
    await using simulated = await launching();
    simulated.control.operations.terminate('shop', 'production');
    await simulated.until(
      'nothing is left',
      async () => (await simulated.runtime.list()).length === 0,
    );
  });

  it.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ])('has the time it was given although the clock is set %s', async (_, byMs) => {
    await using simulated = await launching(10 * MINUTE_MS);
    const id = await idOfWaiting(simulated);
    await simulated.clock.advance(5 * MINUTE_MS);
    simulated.clock.setWallClock(simulated.clock.now() + byMs);
    await simulated.clock.advance(4 * MINUTE_MS);
    expect(await idOfWaiting(simulated)).toBe(id);
    await simulated.clock.advance(2 * MINUTE_MS);
    expect(await isGone(simulated, id)()).toBe(true);
  });
});

describe('an instance that waits before it is stopped', () => {
  it('takes nothing, keeps running, and is stopped when it is answered', async () => {
    await using simulated = await terminating();
    await simulated.clock.advance(20 * MINUTE_MS);
    const id = await idOfWaiting(simulated);
    expect((await simulated.runtime.list()).map((slot) => slot.id)).toContain(id);
    expect(await waiting(simulated)).toMatchObject({
      ...{ state: 'draining', release: 1 },
      wait: { turn: 'terminating', otherwise: 'continue' },
    });
    simulated.control.operations.answerWait(where, id, 'abandon', null);
    await simulated.until('it is gone', isGone(simulated, id), 1_000);
    expect((await simulated.settled()).state).toBe('succeeded');
  });

  it('is stopped when nobody says anything', async () => {
    await using simulated = await terminating();
    const id = await idOfWaiting(simulated);
    await simulated.clock.advance(HOUR_MS);
    expect(await isGone(simulated, id)()).toBe(true);
  });
});

describe('a daemon that dies', () => {
  it('finds the wait where it was, with the time that is left', async () => {
    await using simulated = await launching(10 * MINUTE_MS);
    const id = await idOfWaiting(simulated);
    await simulated.clock.advance(4 * MINUTE_MS);
    simulated.control.operations.heartbeatWait(where, id, null);
    await simulated.control.close();
    await simulated.clock.advance(9 * MINUTE_MS);
    await simulated.start();
    expect(await idOfWaiting(simulated)).toBe(id);
    await simulated.clock.advance(2 * MINUTE_MS);
    expect(await isGone(simulated, id)()).toBe(true);
  });

  it('carries on wherever it was, and asks nobody twice', async () => {
    const waits = { heartbeatMs: 1_000, otherwise: 'continue' } as const;
    const change = grouped({ launching: waits, terminating: waits });
    const dieAt = async (crashAt: number): Promise<boolean> => {
      await using simulated = new SimulatedControl();
      await simulated.start();
      await simulated.deploy('one', change);
      await simulated.settled();
      await simulated.control.close();
      await simulated.start(crashAt);
      await simulated.deploy('two', change).catch(() => {});
      const goes = () => simulated.crashed || !/^r.*ing/.test(simulated.deployment()?.state ?? '');
      await simulated.until('it dies or settles', goes);
      const { crashed } = simulated;
      if (crashed) await simulated.start();
      expect((await simulated.settled()).state).toBe('succeeded');
      const asked = simulated.store
        .events({ environment: 'shop/production', after: 0, limit: 1_000 })
        .filter(({ type }) => type === 'instance-waits');
      // Two before they served, and one before it was stopped.
      expect(asked).toHaveLength(3);
      return crashed;
    };
    let boundary = 1;
    while (await dieAt(boundary)) boundary += process.env.BELAY_NIGHTLY ? 1 : 5;
    expect(boundary).toBeGreaterThan(15);
  });
});

describe('an answer', () => {
  it('is refused where nothing waits, and where there is no such instance', async () => {
    await using simulated = await launching();
    const { operations } = simulated.control;
    const id = await idOfWaiting(simulated);
    operations.answerWait(where, id, 'continue', null);
    expect(codeOf(() => operations.answerWait(where, id, 'abandon', null))).toBe('not-waiting');
    expect(codeOf(() => operations.heartbeatWait(where, id, null))).toBe('not-waiting');
    expect(codeOf(() => operations.heartbeatWait(where, 'i-ffffffff', null))).toBe(
      'unknown-instance',
    );
  });
});
