import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../kernel/histogram.ts';
import { pointsOf } from './group-points.ts';
import type { GroupSecond } from './group-second.ts';

const second = (atMs: number, change: Partial<GroupSecond> = {}): GroupSecond => ({
  atMs,
  durationMs: 1_000,
  instances: 2,
  cpuPercent: 50,
  memoryBytes: 1e6,
  came: 10,
  errors: 0,
  cached: 0,
  inFlight: 1,
  waiting: 0,
  latency: [],
  reported: {},
  ...change,
});
const seconds = (count: number, change: (index: number) => Partial<GroupSecond> = () => ({})) =>
  Array.from({ length: count }, (_, index) => second((index + 1) * 1_000, change(index)));

describe('periods', () => {
  it('are whole, and end with the newest second', () => {
    const points = pointsOf(seconds(25), 10_000, 7);
    expect(points.map(({ at }) => at)).toEqual([15_007, 25_007]);
    expect(pointsOf(seconds(9), 10_000, 0)).toEqual([]);
    expect(pointsOf([], 10_000, 0)).toEqual([]);
  });

  it('have the seconds that lie in them, though the clock strikes unevenly', () => {
    const uneven = fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(uneven, (offsets) => {
        let before = 0;
        const struck = offsets.map((offset, index) => {
          const atMs = (index + 1) * 1_000 + offset;
          const each = second(atMs, { durationMs: atMs - before });
          before = atMs;
          return each;
        });
        for (const { requestsPerMinute } of pointsOf(struck, 10_000, 0)) {
          // Ten requests in each, and ten seconds in all, give or take one at either end.
          expect(requestsPerMinute).toBeGreaterThan(530);
          expect(requestsPerMinute).toBeLessThan(680);
        }
      }),
    );
  });

  it('without a second are left out, and those beside them stay', () => {
    const gappy = seconds(50).filter(({ atMs }) => atMs <= 12_000 || atMs > 35_000);
    expect(pointsOf(gappy, 10_000, 0).map(({ at }) => at)).toEqual([
      10_000, 20_000, 40_000, 50_000,
    ]);
  });

  it('are told anew after the clock was set, though they are known', () => {
    const measured = seconds(20);
    const [first] = pointsOf(measured, 10_000, 0);
    const [moved] = pointsOf(measured, 10_000, 3_600_000);
    expect(moved).toEqual({ ...first, at: 10_000 + 3_600_000 });
  });
});

describe('a figure', () => {
  const figures = 'cpuPercent came errors cached inFlight waiting latency'.split(' ');

  it('is null, and never 0, where less than half of the period was measured', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (isMeasured) => {
        const nothing = Object.fromEntries(figures.map((figure) => [figure, null]));
        const [point] = pointsOf(
          seconds(10, (index) => (isMeasured[index] ? {} : nothing)),
          10_000,
          0,
        );
        const measured = isMeasured.filter(Boolean).length;
        if (measured === 0) expect(point?.instances).toBe(2);
        expect(point).toMatchObject(
          measured >= 5
            ? { cpuPercent: 50, requestsPerMinute: 600, concurrency: 1, errorsPerMinute: 0 }
            : { cpuPercent: null, requestsPerMinute: null, concurrency: null, p99Ms: null },
        );
      }),
    );
  });

  it('is never below 0, though what is inside was told late', () => {
    const [point] = pointsOf(
      seconds(10, (index) => ({ came: index === 9 ? -200 : 10 })),
      10_000,
      0,
    );
    expect(point?.requestsPerMinute).toBe(0);
  });

  it('of latency is of all requests of the period', () => {
    const [point] = pointsOf(
      seconds(10, (index) => ({
        latency: index === 3 ? [bucketOf(500_000), 5] : [bucketOf(2_000), 20],
      })),
      10_000,
      0,
    );
    expect(point?.p50Ms).toBeCloseTo(2, 1);
    expect(point?.p99Ms).toBeGreaterThan(490);
  });
});
