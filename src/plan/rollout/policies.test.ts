import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Behaviour,
  crashesAtBoot,
  failsThirty,
  good,
  neverHealthy,
  SimulatedEnvironment,
  slow,
  turnsUnhealthy,
} from '../../../test/support/simulated-environment.ts';
import type { Rollout } from '../../model/configuration.ts';
import { policies } from './policies.ts';
import { instancesIn } from './rollout.ts';
import { trafficShare } from './share.ts';

type Policy = Rollout['policy'];
const policyNames = Object.keys(policies) as Policy[];

/** Release 1 serves; release 2 is about to be deployed. */
function deploying(
  desired: number,
  rollout: Partial<Rollout>,
  behaviour: Behaviour = good,
): SimulatedEnvironment {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good);
  environment.deploy(1);
  environment.runUntilVerdict();
  environment.requestsPerSecond = 400;
  environment.fewestServing = Number.POSITIVE_INFINITY;
  environment.addRelease(2, behaviour, rollout);
  environment.deploy(2);
  return environment;
}

const countOf = (environment: SimulatedEnvironment, release: number) =>
  environment.live().filter((instance) => instance.release === release).length;

describe.each(policyNames)('%s', (policy) => {
  it.each([1, 2, 5, 20])('moves %i instances and never serves with fewer', (desired) => {
    const environment = deploying(desired, { policy });
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    environment.run(31_000);
    expect([countOf(environment, 1), countOf(environment, 2)]).toEqual([0, desired]);
    expect(environment.fewestServing).toBe(desired);
  });

  it.each([
    ['crashes at boot', crashesAtBoot],
    ['is never healthy', neverHealthy],
  ])('stops no old instance for a release that %s', (_, behaviour) => {
    const environment = deploying(5, { policy }, behaviour);
    const before = environment.live().map(({ id }) => id);
    expect(environment.runUntilVerdict().state).toBe('rolled-back');
    environment.run(40_000);
    expect(environment.live().map(({ id }) => id)).toEqual(before);
  });

  it('goes back whole when the new release turns bad after it was admitted', () => {
    const environment = deploying(5, { policy, healthyMs: 1_500 }, turnsUnhealthy);
    expect(environment.runUntilVerdict().state).toBe('rolled-back');
    expect([countOf(environment, 1), countOf(environment, 2)]).toEqual([5, 0]);
    expect(environment.fewestServing).toBe(5);
  });

  it('heals at rest', () => {
    const environment = deploying(3, { policy });
    environment.runUntilVerdict();
    environment.run(20_000);
    environment.kill(environment.live()[0]?.id ?? '');
    environment.run(2_000);
    expect(environment.serving()).toHaveLength(3);
    expect(environment.plan().steps).toEqual([]);
  });

  it('goes back by a flip while the old instances are warm', () => {
    const environment = deploying(3, { policy, keepMs: 60_000 });
    environment.runUntilVerdict();
    const launched = environment.history.length;
    environment.deploy(1);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    const kinds = environment.history.slice(launched).map(({ step }) => step.kind);
    expect(kinds).not.toContain('launch');
    expect(environment.fewestServing).toBe(3);
  });
});

describe('immutable', () => {
  it('starts one new instance alone, and all others when it has proven itself', () => {
    const environment = deploying(5, { policy: 'immutable' });
    environment.settle();
    expect(countOf(environment, 2)).toBe(1);
    environment.run(5_000, () => countOf(environment, 2) > 1);
    expect(countOf(environment, 2)).toBe(5);
    expect(countOf(environment, 1)).toBe(5);
  });
});

describe('all-at-once', () => {
  it('starts all new instances together, and retires all old ones together', () => {
    const environment = deploying(5, { policy: 'all-at-once' });
    environment.runUntilVerdict();
    const times = (kind: string) =>
      new Set(environment.history.flatMap(({ at, step }) => (step.kind === kind ? [at] : [])));
    // The first is that of release 1.
    expect(times('launch').size).toBe(2);
    expect(times('retire').size).toBe(1);
  });
});

describe('rolling by a share', () => {
  it.each([1, 4])('replaces %i in place of which none is healthy any more', (desired) => {
    const environment = new SimulatedEnvironment(desired);
    environment.addRelease(1, turnsUnhealthy, { batch: '50%', extra: 0 });
    environment.deploy(1);
    environment.runUntilVerdict();
    environment.run(1_000);
    expect(environment.serving()).toEqual([]);
    environment.addRelease(2, good, { batch: '50%', extra: 0 });
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect([countOf(environment, 1), countOf(environment, 2)]).toEqual([0, desired]);
  });

  it('takes 25 % of 20 in place, five at a time', () => {
    const environment = deploying(20, { policy: 'rolling', batch: '25%', extra: 0 });
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(environment.fewestServing).toBe(15);
  });

  it('takes half of one as one', () => {
    const environment = deploying(1, { policy: 'rolling', batch: '50%', extra: '50%' });
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(environment.fewestServing).toBe(1);
  });

  it('is done with 20 instances that boot in 300 ms, by 25 % with as many extra, in six seconds', () => {
    const environment = deploying(20, { policy: 'rolling', batch: '25%', extra: '25%' });
    const startedAt = environment.now;
    environment.runUntilVerdict();
    expect(environment.now - startedAt).toBeLessThanOrEqual(6_000);
  });
});

describe('blue-green', () => {
  /** The release that is in service and gets nothing. */
  const heldBack = (environment: SimulatedEnvironment): number | null => {
    const share = trafficShare(environment.deployment, environment.live());
    return share?.percent === 0 ? share.release : null;
  };

  it('holds all traffic from the new release for as long as the old one serves', () => {
    const environment = deploying(3, { policy: 'blue-green' });
    let flips = 0;
    let held: number | null = 2;
    environment.run(10_000, () => {
      const now = heldBack(environment);
      if (environment.deployment !== null && now !== held) {
        flips += 1;
        held = now;
        expect(environment.serving().filter(({ release }) => release === 2)).toHaveLength(3);
      }
      return environment.deployment === null;
    });
    expect(environment.verdicts.at(-1)?.state).toBe('succeeded');
    expect(flips).toBe(1);
  });

  it('gives the new release the traffic when every old instance has died', () => {
    const environment = deploying(2, { policy: 'blue-green', healthyMs: 5_000 });
    environment.run(1_000, () => environment.serving().some(({ release }) => release === 2));
    for (const { id, release } of environment.live()) if (release === 1) environment.kill(id);
    environment.settle();
    expect(heldBack(environment)).toBeNull();
  });

  it('holds nothing in a first deployment, and nothing under another policy', () => {
    const first = new SimulatedEnvironment(2);
    first.addRelease(1, good, { policy: 'blue-green' });
    first.deploy(1);
    first.run(400);
    expect(heldBack(first)).toBeNull();
    const rolling = deploying(2, { policy: 'rolling' });
    rolling.run(400);
    expect(heldBack(rolling)).toBeNull();
  });
});

describe('canary', () => {
  /** Releases 1 and 2 under load, at a tenth of the traffic for release 2. */
  const canary = (behaviour: Behaviour, rollout: Partial<Rollout> = {}) =>
    deploying(5, { policy: 'canary', percent: 10, bakeMs: 60_000, ...rollout }, behaviour);

  it('gives a tenth to as few new instances as it takes, beside as many old ones of their age', () => {
    const environment = canary(good);
    environment.run(5_000);
    expect(environment.deployment?.stage?.percent).toBe(10);
    expect([countOf(environment, 1), countOf(environment, 2)]).toEqual([6, 1]);
    const before = [environment.answered(1), environment.answered(2)];
    environment.run(10_000);
    const [old = 0, fresh = 0] = [1, 2].map(
      (release) => environment.answered(release) - (before[release - 1] ?? 0),
    );
    expect(fresh / (old + fresh)).toBeCloseTo(0.1, 2);
  });

  it('goes on when it has baked, and keeps the old fleet whole until then', () => {
    const environment = canary(good);
    environment.run(55_000);
    expect(countOf(environment, 1)).toBe(6);
    const verdict = environment.runUntilVerdict();
    expect(verdict.state).toBe('succeeded');
    expect((verdict.endedAt ?? 0) - verdict.startedAt).toBeGreaterThanOrEqual(60_000);
    expect([countOf(environment, 1), countOf(environment, 2)]).toEqual([0, 5]);
  });

  it.each([
    ['fails for 30 % of its requests', failsThirty, /30\.\d % of its requests fail, 0\.0 %/],
    ['is slow', slow, /its p99 is \d+ ms, the old release's \d+ ms/],
  ])('is undone when the new release %s', (_, behaviour, cause) => {
    const environment = canary(behaviour);
    const sent = environment.answered(1);
    const verdict = environment.runUntilVerdict();
    expect(verdict).toMatchObject({ state: 'rolled-back', cause: expect.stringMatching(cause) });
    expect(verdict.turnedAt ?? 0).toBeLessThan(verdict.startedAt + 60_000);
    const exposed = environment.answered(2);
    expect(exposed / (environment.answered(1) - sent + exposed)).toBeLessThanOrEqual(0.11);
    expect([countOf(environment, 1), countOf(environment, 2)]).toEqual([5, 0]);
    expect(environment.fewestServing).toBeGreaterThanOrEqual(5);
  });

  it('does not take silence for success: somebody decides, or it goes back', () => {
    const environment = canary(good, { patienceMs: 120_000 });
    environment.requestsPerSecond = 1;
    environment.run(100_000);
    expect(environment.deployment).toMatchObject({ state: 'running', stage: { percent: 10 } });
    const verdict = environment.runUntilVerdict();
    expect(verdict).toMatchObject({
      state: 'rolled-back',
      cause: expect.stringMatching(/^only \d+ of 100 requests to judge by, and nobody decided$/),
    });
  });

  it('goes on when it is promoted, however little it has answered', () => {
    const environment = canary(good);
    environment.requestsPerSecond = 1;
    environment.run(100_000);
    environment.promote();
    expect(environment.runUntilVerdict().state).toBe('succeeded');
  });
});

describe('linear', () => {
  it('moves the traffic in equal steps, each judged before the next', () => {
    const environment = deploying(5, { policy: 'linear', percent: 25, bakeMs: 3_000 });
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    const shifts = environment.history.flatMap(({ at, step }) =>
      step.kind === 'shift' ? [{ at, percent: step.percent }] : [],
    );
    expect(shifts.map(({ percent }) => percent)).toEqual([25, 50, 75, 100]);
    for (const [i, { at }] of shifts.slice(1).entries()) {
      expect(at - (shifts[i]?.at ?? 0)).toBeGreaterThanOrEqual(3_000);
    }
  });
});

describe('whatever the policy and whatever happens', () => {
  const amount = fc.constantFrom<Rollout['batch']>(1, 3, '25%', '50%', '100%');
  const scenario = fc.record({
    desired: fc.integer({ min: 1, max: 20 }),
    rollout: fc.record({
      policy: fc.constantFrom(...policyNames),
      batch: amount,
      extra: fc.oneof(fc.constant(0), amount),
      keepMs: fc.constantFrom(0, 3_000),
      healthyMs: fc.constantFrom(0, 200, 2_000),
      percent: fc.integer({ min: 1, max: 99 }),
    }),
    behaviour: fc.constantFrom(
      good,
      crashesAtBoot,
      neverHealthy,
      turnsUnhealthy,
      failsThirty,
      slow,
    ),
    disturbances: fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 2_000 }),
        what: fc.constantFrom('kill-old', 'kill-new', 'abort', 'promote'),
      }),
      { maxLength: 3 },
    ),
  });
  type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

  /** @returns how many instances were killed */
  function disturb(
    environment: SimulatedEnvironment,
    disturbances: Scenario['disturbances'],
  ): number {
    let killed = 0;
    for (const { afterMs, what } of disturbances) {
      environment.run(afterMs, () => environment.deployment === null);
      if (environment.deployment === null) return killed;
      if (what === 'abort') environment.abort();
      if (what === 'promote') environment.promote();
      const release = { 'kill-old': 1, 'kill-new': 2, abort: 0, promote: 0 }[what];
      const victim = environment.live().find((instance) => instance.release === release);
      if (!victim) continue;
      environment.kill(victim.id);
      killed += 1;
    }
    return killed;
  }

  /** All of it, on a busy machine. */
  const timeout = 300_000;
  const runs = { numRuns: process.env.BELAY_NIGHTLY ? 400 : 40 };

  it('ends with exactly one release, whole and alone, in a bounded number of steps', {
    timeout,
  }, () => {
    const ends = ({ desired, rollout, behaviour, disturbances }: Scenario) => {
      const environment = deploying(desired, rollout, behaviour);
      disturb(environment, disturbances);
      if (environment.deployment !== null) environment.runUntilVerdict();
      const { state } = environment.verdicts.at(-1) ?? {};
      expect(['succeeded', 'rolled-back', 'aborted']).toContain(state);
      const { release } = environment.environment;
      expect(release).toBe(state === 'succeeded' ? 2 : 1);
      const serving = environment.live().filter((instance) => instance.state === 'in-service');
      expect(serving.every((instance) => instance.release === release)).toBe(true);
      if (release === 2 && behaviour === turnsUnhealthy) return;
      const isWhole = () =>
        environment.live().length === desired && environment.serving().length === desired;
      environment.run(70_000, isWhole);
      expect(environment.live().map((instance) => instance.release)).toEqual(
        Array(desired).fill(release),
      );
      expect(environment.plan().steps).toEqual([]);
      const shifts = 100 / rollout.percent;
      expect(environment.history.length).toBeLessThanOrEqual(14 * desired + 40 + shifts);
    };
    fc.assert(fc.property(scenario, ends), runs);
  });

  it('never serves with fewer than the policy allows, but for those that are killed', {
    timeout,
  }, () => {
    const keeps = ({ desired, rollout, behaviour, disturbances }: Scenario) => {
      // Those that turn bad after they were trusted are nobody's to keep.
      fc.pre(behaviour !== turnsUnhealthy || rollout.healthyMs > 1_000);
      const environment = deploying(desired, rollout, behaviour);
      const killed = disturb(environment, disturbances);
      if (environment.deployment !== null) environment.runUntilVerdict();
      const { policy, batch, extra } = rollout;
      const away = policy === 'rolling' && extra === 0 ? instancesIn(batch, desired) : 0;
      const fewest = Math.max(0, desired - away - killed);
      expect(environment.fewestServing).toBeGreaterThanOrEqual(fewest);
    };
    fc.assert(fc.property(scenario, keeps), runs);
  });
});
