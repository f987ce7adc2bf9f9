import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../kernel/clock.ts';
import type { GroupPoint } from '../../model/metrics.ts';
import type { Store } from '../../store/driver.ts';
import { openSqliteStore } from '../../store/sqlite.ts';
import type { GroupSecond } from './group-second.ts';
import { Minutes } from './minutes.ts';

const KEY = 'shop/production';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let clock: ManualClock;
let store: Store;
let minutes: Minutes;
let seconds: GroupSecond[];

beforeEach(() => {
  clock = manualClock();
  store = openSqliteStore(':memory:');
  minutes = new Minutes({ store, clock });
  seconds = [];
});
afterEach(() => store.close());

const second = (change: Partial<GroupSecond> = {}): GroupSecond => ({
  atMs: clock.monotonic(),
  durationMs: 1_000,
  instances: 2,
  cpuPercent: 80,
  memoryBytes: 1e8,
  came: 10,
  errors: 0,
  cached: 3,
  inFlight: 3,
  waiting: 0,
  latency: [],
  reported: {},
  ...change,
});

/** Measures so many seconds. */
async function pass(count: number, change: Partial<GroupSecond> = {}): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) {
    await clock.advance(1_000);
    seconds.push(second(change));
    if (seconds.length > 900) seconds.shift();
    minutes.follow(new Map([[KEY, seconds]]));
  }
}

const ats = () => minutes.of(KEY).map(({ at }) => at);

describe('the minutes of an environment', () => {
  it('are those of the clock on the wall', async () => {
    const began = clock.now();
    await pass(60);
    await pass(60, { came: 25, cpuPercent: null });
    await pass(60, { latency: [640, 99, 900, 1], reported: { jobs: 4 } });
    expect(ats()).toEqual([1, 2, 3].map((count) => began + count * MINUTE_MS));
    expect(minutes.of(KEY)).toMatchObject([
      { requestsPerMinute: 600, cpuPercent: 80, concurrency: 3, instances: 2, reported: {} },
      { requestsPerMinute: 1_500, cpuPercent: null },
      { requestsPerMinute: 600, cpuPercent: 80, reported: { jobs: 4 } },
    ]);
  });

  it('are null where little was measured, and missing where nothing was', async () => {
    await pass(61);
    const nothing = {
      cpuPercent: null,
      memoryBytes: null,
      came: null,
      errors: null,
      inFlight: null,
      cached: null,
      waiting: null,
      latency: null,
    };
    await pass(60, nothing);
    await pass(40, { came: null });
    await pass(80);
    const [first = 0] = ats();
    expect(ats()).toEqual([first, first + 2 * MINUTE_MS, first + 3 * MINUTE_MS]);
    expect(minutes.of(KEY)[1]).toMatchObject({ requestsPerMinute: null, cpuPercent: 80 });
  });

  it.for([HOUR_MS, -HOUR_MS])(
    'go on when the clock is set by %i, and none is of a time to come',
    async (byMs, { expect }) => {
      await pass(601);
      const before = ats();
      clock.setWallClock(clock.now() + byMs);
      await pass(601, { came: 20 });
      const after = ats();
      expect(Math.max(...after)).toBeLessThanOrEqual(clock.now());
      expect(after).toEqual([...new Set(after)].toSorted((a, b) => a - b));
      const young = minutes.of(KEY).filter(({ at }) => at > clock.now() - 500_000);
      expect(young.map(({ requestsPerMinute }) => requestsPerMinute)).toEqual(
        young.map(() => 1_200),
      );
      expect(young.length).toBeGreaterThanOrEqual(8);
      // An hour back, those of before are of a time that has not come; they are told when it has.
      expect(before.every((at) => after.includes(at))).toBe(byMs > 0);
      clock.setWallClock(clock.now() - byMs);
      await pass(1);
      expect(before.every((at) => ats().includes(at))).toBe(true);
    },
  );

  it('are kept for a month, and not thrown away by a clock that is wrong for a moment', async () => {
    await pass(61);
    const [point] = minutes.of(KEY);
    if (!point) throw new Error('no minute');
    const ago = (ms: number): GroupPoint => ({ ...point, at: clock.now() - ms });
    const old = ago(32 * DAY_MS);
    const young = ago(30 * DAY_MS);
    for (const each of [old, young]) store.saveMinute(KEY, each);
    const kept = () => store.minutes(KEY, 0, point.at - DAY_MS).map(({ at }) => at);

    const right = clock.now();
    clock.setWallClock(right + 100 * DAY_MS);
    await pass(1_000);
    clock.setWallClock(right + 1_000_000);
    await pass(3_000);
    expect(kept()).toEqual([old.at, young.at]);
    await pass(700);
    expect(kept()).toEqual([young.at]);
    // Those of the wrong time went with it.
    expect(store.minutes(KEY, right + DAY_MS, right + 200 * DAY_MS)).toEqual([]);
  });

  it('are told alike from memory and from the record', async () => {
    await pass(130);
    minutes.of(KEY);
    await pass(200, { came: 7, reported: { jobs: 1.5 } });
    const told = minutes.of(KEY);
    expect(told).toHaveLength(5);
    expect(new Minutes({ store, clock }).of(KEY)).toEqual(told);
  });
});
