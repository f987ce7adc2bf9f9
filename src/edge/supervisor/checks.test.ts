import { expect, it } from 'vitest';
import { snapshotOf } from '../../../test/fixtures/live-edge.ts';
import { type ManualClock, manualClock } from '../../kernel/clock.ts';
import type { Snapshot, Target } from '../../model/snapshot.ts';
import type { DeepReport } from '../../model/target.ts';
import type { HealthEntry } from '../link.ts';
import { type Checks, healthChecks } from './checks.ts';
import type { DeepProbe } from './deep-check.ts';
import type { CheckResult } from './health.ts';
import type { Probe } from './probe.ts';

interface Bench {
  clock: ManualClock;
  checks: Checks;
  /** By port: what a check finds, and the times of all checks. */
  results: Map<number, CheckResult | 'never'>;
  asked: Map<number, number[]>;
  changes: HealthEntry[];
  /** The same of the deep checks. */
  deepResults: Map<number, DeepReport | 'never'>;
  deepAsked: Map<number, number[]>;
  deepChanges: number;
}

const failure: CheckResult = {
  passed: false,
  reason: 'Target.FailedHealthChecks',
  description: 'connection refused',
};

function bench(): Bench {
  const clock = manualClock();
  const note = (times: Map<number, number[]>, port: number) =>
    times.set(port, [...(times.get(port) ?? []), clock.monotonic()]);
  const answer = <Result>(result: Result | 'never'): Promise<Result> =>
    result === 'never' ? new Promise(() => {}) : Promise.resolve(result);
  const probe: Probe = ({ port }) => {
    note(made.asked, port);
    return answer(made.results.get(port) ?? { passed: true });
  };
  const deepProbe: DeepProbe = ({ port }) => {
    note(made.deepAsked, port);
    return answer(made.deepResults.get(port) ?? { passed: true, description: '', parts: [] });
  };
  const checks = healthChecks({
    clock,
    probe,
    deepProbe,
    onChange: (entry) => made.changes.push(entry),
    onDeepChange: () => {
      made.deepChanges += 1;
    },
  });
  const made: Bench = {
    clock,
    checks,
    results: new Map(),
    asked: new Map(),
    changes: [],
    deepResults: new Map(),
    deepAsked: new Map(),
    deepChanges: 0,
  };
  return made;
}

function snapshot(number: number, ...targets: Partial<Target>[]): Snapshot {
  const [base] = targets.map((target) => snapshotOf(number, { port: 1 }, target));
  const pools = (base?.pools ?? []).map((pool) => ({
    ...pool,
    health: { ...pool.health, intervalMs: 10_000 },
    targets: targets.flatMap(
      (target) => snapshotOf(number, { port: 1 }, target).pools[0]?.targets ?? [],
    ),
  }));
  return { ...(base ?? snapshotOf(number, { port: 1 })), pools };
}

it('asks a new target at once and often, and an admitted one at its interval', async () => {
  const { clock, checks, results, asked } = bench();
  results.set(1, failure);
  checks.update(snapshot(1, {}));
  await clock.advance(1_000);
  expect(asked.get(1)?.slice(0, 4)).toEqual([0, 50, 100, 150]);
  results.set(1, { passed: true });
  await clock.advance(50);
  expect(checks.entries()).toMatchObject([{ health: 'healthy', admitted: true }]);
  const before = asked.get(1)?.length ?? 0;
  await clock.advance(100_000);
  const checksAtRest = (asked.get(1)?.length ?? 0) - before;
  expect(checksAtRest).toBeGreaterThanOrEqual(9);
  expect(checksAtRest).toBeLessThanOrEqual(11);
  checks.close();
});

it('gives up asking often when a new target fails for long', async () => {
  const { clock, checks, results, asked } = bench();
  results.set(1, failure);
  checks.update(snapshot(1, {}));
  await clock.advance(70_000);
  const before = asked.get(1)?.length ?? 0;
  await clock.advance(50_000);
  expect((asked.get(1)?.length ?? 0) - before).toBeLessThanOrEqual(6);
  checks.close();
});

it('does not let a target that never answers delay another', async () => {
  const { clock, checks, results } = bench();
  results.set(1, 'never');
  checks.update(snapshot(1, { id: 'slow', port: 1 }, { id: 'good', port: 2 }));
  await clock.advance(0);
  expect(checks.entries()).toMatchObject([
    { target: 'slow', health: 'initial' },
    { target: 'good', health: 'healthy' },
  ]);
  checks.close();
});

it('spreads the checks of targets that were admitted together', async () => {
  const { clock, checks, asked } = bench();
  checks.update(
    snapshot(1, ...Array.from({ length: 50 }, (_, i) => ({ id: `i-${i}`, port: i + 1 }))),
  );
  await clock.advance(0);
  await clock.advance(10_000);
  const times = [...asked.values()].map(([, second]) => second ?? 0);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(5_000);
  checks.close();
});

it('does not ask a draining target, and asks a standby one', async () => {
  const { clock, checks, asked } = bench();
  checks.update(
    snapshot(1, { id: 'a', port: 1, state: 'draining' }, { id: 'b', port: 2, state: 'standby' }),
  );
  await clock.advance(100);
  expect(asked.has(1)).toBe(false);
  expect(asked.has(2)).toBe(true);
  expect(checks.statuses()).toMatchObject([
    { health: 'draining', reason: 'Target.DeregistrationInProgress' },
    { health: 'unused', reason: 'Target.NotInUse' },
  ]);
  checks.close();
});

it('stops asking when a target drains or leaves', async () => {
  const { clock, checks, asked } = bench();
  checks.update(snapshot(1, { id: 'a', port: 1 }, { id: 'b', port: 2 }));
  await clock.advance(0);
  checks.update(snapshot(2, { id: 'a', port: 1, state: 'draining' }));
  await clock.advance(60_000);
  expect([asked.get(1)?.length, asked.get(2)?.length]).toEqual([1, 1]);
  expect(clock.pending()).toBe(0);
});

it('keeps the health of a target that drains and comes back', async () => {
  const { clock, checks } = bench();
  checks.update(snapshot(1, {}));
  await clock.advance(0);
  expect(checks.update(snapshot(2, { state: 'draining' }))).toMatchObject([{ health: 'draining' }]);
  expect(checks.update(snapshot(3, {}))).toMatchObject([{ health: 'healthy', admitted: true }]);
  checks.close();
});

it('takes a target with another address for a new one', async () => {
  const { clock, checks, results } = bench();
  results.set(2, failure);
  checks.update(snapshot(1, { port: 1 }));
  await clock.advance(0);
  expect(checks.update(snapshot(2, { port: 2 }))).toMatchObject([
    { health: 'initial', admitted: false },
  ]);
  checks.close();
});

it('names every new target to the workers, and says nothing of one that has not changed', async () => {
  const { clock, checks, changes } = bench();
  expect(checks.update(snapshot(1, { id: 'a', port: 1 }))).toMatchObject([{ target: 'a' }]);
  await clock.advance(0);
  expect(changes).toMatchObject([{ target: 'a', health: 'healthy' }]);
  expect(checks.update(snapshot(2, { id: 'a', port: 1 }, { id: 'b', port: 2 }))).toMatchObject([
    { target: 'b', health: 'initial' },
  ]);
  checks.close();
});

it('goes on from the health an earlier supervisor knew, where the address is the same', async () => {
  const first = bench();
  first.checks.update(snapshot(1, { id: 'a', port: 1 }, { id: 'b', port: 2 }));
  await first.clock.advance(0);
  const kept = JSON.parse(JSON.stringify(first.checks.kept()));
  first.checks.close();

  const { checks } = bench();
  checks.restore(kept);
  checks.update(snapshot(1, { id: 'a', port: 1 }, { id: 'b', port: 3 }));
  expect(checks.entries()).toMatchObject([
    { target: 'a', health: 'healthy', admitted: true },
    { target: 'b', health: 'initial', admitted: false },
  ]);
  checks.close();
});

/** With a deep check. */
function deepSnapshot(number: number, ...targets: Partial<Target>[]): Snapshot {
  const { pools, ...rest } = snapshot(number, ...targets);
  const asked = pools.map((pool) => ({ ...pool, health: { ...pool.health, deepPath: '/readyz' } }));
  return { ...rest, pools: asked };
}

const refused: DeepReport = {
  passed: false,
  description: 'db: connection refused',
  parts: [{ name: 'db', passed: false, detail: 'connection refused' }],
};

it('tells what a deep check says, when it changes, and routes on', async () => {
  const bed = bench();
  const { clock, checks, deepResults } = bed;
  checks.update(deepSnapshot(1, {}));
  await clock.advance(0);
  expect(checks.statuses()).toMatchObject([{ health: 'healthy', deep: null }]);
  await clock.advance(10_000);
  expect(checks.statuses()).toMatchObject([{ deep: { passed: true } }]);
  expect(bed.deepChanges).toBe(1);
  await clock.advance(60_000);
  expect(bed.deepChanges).toBe(1);
  deepResults.set(1, refused);
  await clock.advance(60_000);
  expect(checks.statuses()).toMatchObject([{ health: 'healthy', deep: refused }]);
  expect(bed.deepChanges).toBe(2);
  expect(bed.changes).toHaveLength(1);
  checks.close();
  expect(clock.pending()).toBe(0);
});

it('tells since when a deep check fails, until it passes, whatever it says meanwhile', async () => {
  const { clock, checks, deepResults } = bench();
  const failingSince = () => checks.statuses()[0]?.deepFailingSince;
  deepResults.set(1, refused);
  checks.update(deepSnapshot(1, {}));
  await clock.advance(20_000);
  const since = failingSince();
  expect(since).toBeLessThanOrEqual(clock.now());
  deepResults.set(1, { ...refused, description: 'db: timed out' });
  await clock.advance(60_000);
  expect(failingSince()).toBe(since);
  deepResults.set(1, { passed: true, description: '', parts: [] });
  await clock.advance(60_000);
  expect(checks.statuses()[0]).not.toHaveProperty('deepFailingSince');
  deepResults.set(1, refused);
  await clock.advance(60_000);
  expect(failingSince()).toBeGreaterThan(since ?? 0);
  checks.close();
});

it('does not let a deep check that never ends delay the check that routing follows', async () => {
  const { clock, checks, results, asked, deepResults, deepAsked } = bench();
  deepResults.set(1, 'never');
  checks.update(deepSnapshot(1, {}));
  await clock.advance(100_000);
  expect(deepAsked.get(1)).toHaveLength(1);
  expect(asked.get(1)?.length).toBeGreaterThanOrEqual(9);
  results.set(1, failure);
  await clock.advance(30_000);
  expect(checks.entries()).toMatchObject([{ health: 'unhealthy' }]);
  checks.close();
});

it('spreads deep checks over the interval, and keeps to it', async () => {
  const { clock, checks, deepAsked } = bench();
  checks.update(
    deepSnapshot(1, ...Array.from({ length: 50 }, (_, i) => ({ id: `i-${i}`, port: i + 1 }))),
  );
  await clock.advance(100_000);
  const first = [...deepAsked.values()].map(([time]) => time ?? 0);
  expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(5_000);
  for (const times of deepAsked.values()) {
    expect(times.length).toBeGreaterThanOrEqual(9);
    expect(times.length).toBeLessThanOrEqual(11);
  }
  checks.close();
});

it('asks no target in depth that was never admitted, that drains, or that has no deep path', async () => {
  const { clock, checks, results, deepAsked } = bench();
  results.set(1, failure);
  checks.update(deepSnapshot(1, { id: 'a', port: 1 }, { id: 'b', port: 2 }, { id: 'c', port: 3 }));
  await clock.advance(20_000);
  expect([...deepAsked.keys()].sort()).toEqual([2, 3]);
  checks.update(deepSnapshot(2, { id: 'b', port: 2, state: 'draining' }, { id: 'c', port: 3 }));
  expect(checks.statuses()).toMatchObject([{ deep: null }, { deep: { passed: true } }]);
  checks.update(snapshot(3, { id: 'c', port: 3 }));
  deepAsked.clear();
  await clock.advance(20_000);
  expect(deepAsked.size).toBe(0);
  expect(checks.statuses()).toMatchObject([{ deep: null }]);
  checks.close();
});

it('asks a target on standby, and tells what it would be, also to the next supervisor', async () => {
  const { clock, checks, results } = bench();
  const standby = snapshot(1, { id: 'a', port: 1, state: 'standby' });
  const toldOf = ({ statuses }: Checks) =>
    statuses().map((status) => [status.health, status.standby]);
  results.set(1, failure);
  checks.update(standby);
  const registeredAt = clock.now();
  await clock.advance(1_000);
  expect(toldOf(checks)).toEqual([['unused', { condition: 'initial', since: registeredAt }]]);
  results.set(1, { passed: true });
  await clock.advance(50);
  const passedAt = clock.now();
  await clock.advance(30_000);
  expect(toldOf(checks)).toEqual([['unused', { condition: 'healthy', since: passedAt }]]);

  const next = bench();
  next.checks.restore(checks.kept());
  next.checks.update(standby);
  expect(toldOf(next.checks)).toEqual([['unused', { condition: 'healthy', since: passedAt }]]);
  next.checks.update(snapshot(2, { id: 'a', port: 1 }));
  expect(toldOf(next.checks)).toEqual([['healthy', undefined]]);
  checks.close();
  next.checks.close();
});
