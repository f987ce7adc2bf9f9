import { describe, expect, it } from 'vitest';
import { type InstanceFigures, InstanceRings } from './instance-rings.ts';

const figures = (change: Partial<InstanceFigures> = {}): InstanceFigures => ({
  cpuPercent: 12.5,
  memoryMb: 64,
  requests: 100,
  errors: 0,
  inFlight: 2,
  p50Ms: 4,
  p99Ms: 9,
  ...change,
});

describe('the last quarter of an hour of an instance', () => {
  it('is its last 900 seconds, oldest first', () => {
    const rings = new InstanceRings();
    for (let second = 1; second <= 2_000; second += 1) {
      rings.begin(second * 1_000);
      rings.put('early', figures({ requests: second }));
      if (second > 1_990) rings.put('late', figures({ requests: second }));
    }
    const early = rings.points('early', 5);
    expect(early).toHaveLength(900);
    expect(early[0]).toMatchObject({ at: 1_101_005, requestsPerSecond: 1_101 });
    expect(early.at(-1)).toMatchObject({ at: 2_000_005, requestsPerSecond: 2_000 });
    expect(rings.points('late', 5).map(({ requestsPerSecond }) => requestsPerSecond)).toEqual(
      Array.from({ length: 10 }, (_, index) => 1_991 + index),
    );
  });

  it('tells what was not measured as null, and what is too much as the most it can', () => {
    const rings = new InstanceRings();
    rings.begin(1_000);
    rings.put('one', figures({ cpuPercent: Number.NaN, memoryMb: Number.NaN, requests: 1e9 }));
    expect(rings.points('one', 0)).toEqual([
      {
        at: 1_000,
        cpuPercent: null,
        memoryBytes: null,
        requestsPerSecond: 65_504,
        errorsPerSecond: 0,
        inFlight: 2,
        p50Ms: 4,
        p99Ms: 9,
      },
    ]);
  });

  it('is freed with the instance', () => {
    const rings = new InstanceRings();
    rings.begin(1_000);
    for (const id of ['one', 'two']) rings.put(id, figures());
    rings.keep(new Set(['two']));
    expect(rings.points('one', 0)).toEqual([]);
    expect(rings.points('two', 0)).toHaveLength(1);
  });
});
