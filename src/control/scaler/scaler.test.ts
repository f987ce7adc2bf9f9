import { describe, expect, it, test } from 'vitest';
import { configuration, SimulatedControl } from '../../../test/support/simulated-control.ts';
import type { Configuration } from '../../model/configuration.ts';
import { NO_SCALING, type Scaling, type ScalingPolicy } from '../../model/scaling.ts';

const KEY = 'shop/production';
const HOUR_MS = 3_600_000;
const STABILIZATION_MS = 60_000;
/** By then a step of the load has been forgotten by the measure of how restless it is, too. */
const CALM_AGAIN_S = 120;

const trackConcurrency: ScalingPolicy = {
  kind: 'track',
  metric: 'concurrency',
  source: null,
  target: 10,
  scaleIn: true,
};
const atNoon: ScalingPolicy = {
  kind: 'schedule',
  cron: '0 12 * * *',
  timeZone: 'UTC',
  until: { kind: 'cron', cron: '0 14 * * *' },
  min: 4,
  max: 9,
  desired: null,
};

/** Two to six instances, by default with no more than ten requests inside each. */
function scaled(
  policies: readonly ScalingPolicy[] = [trackConcurrency],
  change: Partial<Scaling> = {},
  capacity = { min: 2, desired: 2, max: 6 },
): Partial<Configuration> {
  const scaling = {
    ...NO_SCALING,
    stabilizationMs: STABILIZATION_MS,
    policies: [...policies],
    ...change,
  };
  return { web: { ...configuration.web, capacity, scaling } };
}

/** The app under so many requests at a time, shared out among its instances. */
class Scaled extends SimulatedControl {
  load = 0;
  reachable = true;

  static async deployed(change = scaled()): Promise<Scaled> {
    const simulated = new Scaled();
    await simulated.start();
    await simulated.deploy('one', change);
    await simulated.settled();
    return simulated;
  }

  /** Lets time pass by the second under the load. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await this.#share();
      await this.clock.advance(1_000);
    }
  }

  async #share(): Promise<void> {
    if (!this.reachable) return;
    const { targets } = await this.edge.status();
    const serving = targets.filter(({ health }) => health === 'healthy');
    for (const { pool, id, health } of targets) {
      const inFlight = health === 'healthy' ? this.load / serving.length : 0;
      this.edge.setInside(pool, id, { inFlight, tunnels: 0 });
    }
  }

  get desired(): number {
    const environment = this.store.environments().find(({ key }) => key === KEY);
    return environment?.capacity.desired ?? 0;
  }

  explained(limit = 100) {
    return this.control.queries.scaling('shop', 'production', limit);
  }

  events(type: RegExp): string[] {
    const all = this.control.queries.events({ after: 0, limit: 1_000 });
    return all.filter((event) => type.test(event.type)).map(({ message }) => message);
  }
}

describe('an environment with policies', () => {
  it('follows the load out, and in again once the load has stayed away', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 45;
    await simulated.pass(20);
    const most = simulated.desired;
    expect(most).toBeGreaterThanOrEqual(5);
    simulated.load = 12;
    await simulated.pass(STABILIZATION_MS / 1000 - 5);
    expect(simulated.desired).toBe(most);
    await simulated.pass(CALM_AGAIN_S);
    expect(simulated.desired).toBe(2);
    expect((await simulated.status()).instances).toHaveLength(2);
    expect(simulated.events(/^scaled-out$/)[0]).toMatch(/^desired 2 → \d: .*concurrency/);
    expect(simulated.events(/^scaled-in$/).length).toBeGreaterThan(0);
  });

  it('keeps each decision with its numbers, and those that change nothing as one', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 8;
    await simulated.pass(600);
    simulated.load = 35;
    await simulated.pass(6);
    const { decisions } = simulated.explained();
    const change = decisions.findLast(({ from, to }) => from !== to);
    expect(change).toMatchObject({ from: 2, min: 2, max: 6, count: 1, capacity: { desired: 2 } });
    expect(change?.measured?.concurrency).toBeGreaterThan(20);
    expect(change?.fleet).toMatchObject({ inService: 2, healthy: 2 });
    const [calm] = decisions.filter(({ count }) => count > 250);
    expect(calm).toMatchObject({ from: 2, to: 2 });
    expect((calm?.at ?? 0) - (calm?.since ?? 0)).toBeGreaterThan(500_000);
    expect(decisions.length).toBeLessThan(12);
  });

  it('tells once that more is wanted than is allowed, and in status', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 200;
    await simulated.pass(120);
    expect(simulated.desired).toBe(6);
    expect(simulated.events(/^scaling-at-max$/)).toHaveLength(1);
    const { scaling } = await simulated.status();
    expect(scaling).toMatchObject({ min: 2, max: 6, decision: { to: 6 } });
  });

  it('never shrinks while nothing can be measured', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 45;
    await simulated.pass(20);
    const most = simulated.desired;
    simulated.reachable = false;
    simulated.edge.setReachable(false);
    await simulated.pass(300);
    expect(simulated.desired).toBe(most);
  });

  it('carries on from what is set by hand', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 8;
    await simulated.pass(90);
    simulated.control.operations.scale('shop', 'production', { desired: 5 });
    expect(simulated.desired).toBe(5);
    await simulated.pass(4);
    expect(simulated.desired).toBeGreaterThanOrEqual(2);
    simulated.load = 45;
    await simulated.pass(20);
    expect(simulated.desired).toBeGreaterThanOrEqual(5);
  });
});

describe('a daemon that dies', () => {
  it('does not scale in by having forgotten, and has what it decided', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 45;
    await simulated.pass(30);
    const most = simulated.desired;
    const before = simulated.explained().decisions.filter(({ from, to }) => from !== to);
    simulated.load = 12;
    await simulated.pass(4);
    // Without a word: its store is closed under it.
    simulated.store.close();
    simulated.crashed = true;
    await simulated.bury();
    await simulated.start();
    await simulated.pass(STABILIZATION_MS / 1000 - 15);
    expect(simulated.desired).toBe(most);
    expect(simulated.explained().decisions).toEqual(expect.arrayContaining(before));
    await simulated.pass(CALM_AGAIN_S);
    expect(simulated.desired).toBe(2);
  });

  it.each([1, 2, 4, 7])('amid a scale-out, at boundary %i, goes on with it', async (crashAt) => {
    await using simulated = await Scaled.deployed();
    await simulated.control.close();
    simulated.load = 45;
    await simulated.start(crashAt);
    while (!simulated.crashed) await simulated.pass(1);
    await simulated.bury();
    await simulated.start();
    await simulated.pass(20);
    expect(simulated.desired).toBeGreaterThanOrEqual(5);
    expect((await simulated.status()).instances).toHaveLength(simulated.desired);
  });
});

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('a clock set %s by an hour', (_, byMs) => {
  it('neither changes capacity nor keeps it from changing', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 45;
    await simulated.pass(30);
    const most = simulated.desired;
    const jump = () => simulated.clock.setWallClock(simulated.clock.now() + byMs);
    jump();
    await simulated.pass(10);
    expect(simulated.desired).toBe(most);
    simulated.load = 12;
    await simulated.pass(20);
    jump();
    await simulated.pass(STABILIZATION_MS / 1000 - 30);
    expect(simulated.desired).toBe(most);
    await simulated.pass(CALM_AGAIN_S);
    expect(simulated.desired).toBe(2);
  });

  it('while no daemon ran shrinks nothing', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 45;
    await simulated.pass(30);
    const most = simulated.desired;
    await simulated.control.close();
    simulated.clock.setWallClock(simulated.clock.now() + byMs);
    simulated.load = 12;
    await simulated.start();
    await simulated.pass(STABILIZATION_MS / 1000 - 15);
    expect(simulated.desired).toBe(most);
    await simulated.pass(CALM_AGAIN_S);
    expect(simulated.desired).toBe(2);
  });
});

describe('a deployment', () => {
  it('takes what is wanted more meanwhile, and takes nothing away', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 28;
    await simulated.pass(30);
    const before = simulated.desired;
    simulated.behaviours.set('two', { bootMs: 4_000 });
    await simulated.deploy('two', scaled());
    simulated.load = 1;
    await simulated.pass(3);
    expect(simulated.desired).toBe(before);
    simulated.load = 90;
    await simulated.pass(12);
    expect(simulated.deployment()?.state).toBe('running');
    expect(simulated.desired).toBe(6);
    expect(simulated.deployment()?.capacityBefore).toEqual({ min: 2, desired: 6, max: 6 });
    await simulated.pass(60);
    expect(simulated.deployment()?.state).toBe('succeeded');
    expect((await simulated.status()).instances).toHaveLength(6);
  });

  it('that is turned back keeps what was added, within the bounds there were', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 8;
    await simulated.pass(10);
    simulated.healths.set('two', 'initial');
    const rollout = { ...configuration.rollout, startTimeoutMs: 20_000 };
    const wider = scaled([trackConcurrency], {}, { min: 1, desired: 1, max: 12 });
    await simulated.deploy('two', { ...wider, rollout });
    simulated.load = 90;
    await simulated.pass(12);
    expect(simulated.desired).toBeGreaterThan(6);
    await simulated.settled();
    expect(simulated.deployment()?.state).toBe('rolled-back');
    expect(simulated.explained().capacity).toEqual({ min: 2, desired: 6, max: 6 });
  });

  it('leaves desired as it is, within its bounds', async () => {
    await using simulated = await Scaled.deployed();
    simulated.load = 45;
    await simulated.pass(20);
    const most = simulated.desired;
    // Another `desired` is where it would begin.
    const capacity = { min: 1, desired: 1, max: 6 };
    await simulated.deploy('two', scaled([trackConcurrency], {}, capacity));
    expect(simulated.desired).toBe(most);
    await simulated.pass(60);
    await simulated.deploy('three', scaled([trackConcurrency], {}, { ...capacity, max: 3 }));
    expect(simulated.desired).toBe(3);
  });
});

describe('a schedule', () => {
  it('moves the bounds in force, and not those that were set', async () => {
    await using simulated = await Scaled.deployed(scaled([trackConcurrency, atNoon]));
    await simulated.pass(4);
    simulated.clock.setWallClock(Date.UTC(2026, 0, 2, 12, 30));
    await simulated.pass(6);
    expect(simulated.explained(1)).toMatchObject({
      capacity: { min: 2, desired: 4, max: 6 },
      min: 4,
      max: 9,
    });
    const scale = (desired: number) => () =>
      simulated.control.operations.scale('shop', 'production', { desired });
    expect(scale(3)).toThrow(/4 to 9, which a schedule/);
    scale(8)();
    expect(simulated.desired).toBe(8);
  });
});

test('an environment without policies stays as it is set', async () => {
  await using simulated = await Scaled.deployed(scaled([]));
  simulated.load = 500;
  await simulated.pass(30);
  expect(simulated.desired).toBe(2);
  expect(simulated.explained()).toMatchObject({ decisions: [], next: null });
  expect((await simulated.status()).scaling).toBeNull();
});

test('what comes next is told by the rules themselves', async () => {
  await using simulated = await Scaled.deployed();
  simulated.load = 45;
  await simulated.pass(20);
  simulated.load = 12;
  await simulated.pass(20);
  const { next } = simulated.explained();
  const inMs = (next?.change?.at ?? 0) - simulated.clock.now();
  expect(inMs).toBeGreaterThan(20_000);
  expect(inMs).toBeLessThan(CALM_AGAIN_S * 1_000);
  await simulated.pass(Math.ceil(inMs / 1000) + 12);
  expect(simulated.desired).toBeLessThanOrEqual(next?.change?.to ?? 0);
});
