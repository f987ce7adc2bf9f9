import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  COARSE_BITS,
  histogram,
  middleOf,
  quantile,
  quantilesBetween,
  subtract,
  sum,
} from './histogram.ts';

const microseconds = fc.oneof(
  fc.nat(1_000),
  fc.nat(10_000_000),
  fc.integer({ min: 0, max: 2 ** 36 - 1 }),
);
const readings = fc.array(microseconds, { maxLength: 200 });

function recorded(values: readonly number[]) {
  const counts = histogram();
  for (const value of values) counts.record(value);
  return counts.toSparse();
}

describe('histogram', () => {
  it('knows every value to better than 1 %', () => {
    fc.assert(
      fc.property(microseconds, (value) => {
        const shown = middleOf(bucketOf(value));
        expect(Math.abs(shown - value)).toBeLessThanOrEqual(value * 0.01);
      }),
    );
  });

  it('never puts a greater value in a lower bucket', () => {
    fc.assert(
      fc.property(microseconds, microseconds, (a, b) => {
        expect(bucketOf(Math.max(a, b))).toBeGreaterThanOrEqual(bucketOf(Math.min(a, b)));
      }),
    );
  });

  it('keeps what is out of range in the first and the last bucket', () => {
    expect(bucketOf(-1)).toBe(0);
    expect(bucketOf(2 ** 36)).toBe(bucketOf(2 ** 50));
    expect(bucketOf(2 ** 36)).toBe(bucketOf(2 ** 36 - 1));
  });

  it('takes back what it added', () => {
    fc.assert(
      fc.property(readings, readings, (earlier, since) => {
        const both = sum(recorded(earlier), recorded(since));
        expect(both).toEqual(recorded([...earlier, ...since]));
        expect(subtract(both, recorded(earlier))).toEqual(recorded(since));
      }),
    );
  });

  it('adds the readings of another process to its own', () => {
    const ours = histogram();
    ours.record(5);
    ours.add(recorded([5, 70_000]));
    expect(ours.toSparse()).toEqual(recorded([5, 5, 70_000]));
  });

  it('answers a quantile within 1 % of the value at its rank', () => {
    const shares = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(microseconds, { minLength: 1 }), shares, (values, share) => {
        const rank = Math.max(1, Math.ceil(share * values.length));
        const exact = values.toSorted((a, b) => a - b)[rank - 1] ?? 0;
        const told = quantile(recorded(values), share) ?? Number.NaN;
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.01);
      }),
    );
  });

  it('with few buckets knows every value to 6 %, told like any other', () => {
    fc.assert(
      fc.property(microseconds, (value) => {
        const coarse = histogram(COARSE_BITS);
        coarse.record(value);
        const told = quantile(coarse.toSparse(), 1) ?? Number.NaN;
        expect(Math.abs(told - value)).toBeLessThanOrEqual(value * 0.0625);
      }),
    );
  });

  it('with few buckets loses nothing by being told and added again', () => {
    fc.assert(
      fc.property(readings, readings, (ours, theirs) => {
        const [one, other, both] = [ours, theirs, [...ours, ...theirs]].map((values) => {
          const counts = histogram(COARSE_BITS);
          for (const value of values) counts.record(value);
          return counts;
        });
        const told = both?.toSparse() ?? [];
        expect(sum(one?.toSparse() ?? [], other?.toSparse() ?? [])).toEqual(told);
        one?.add(other?.toSparse() ?? []);
        expect(one?.toSparse()).toEqual(told);
      }),
    );
  });

  it('has no quantile of nothing', () => {
    expect(quantile([], 0.5)).toBeNull();
  });

  it('tells quantiles between two readings as of their difference', () => {
    fc.assert(
      fc.property(readings, readings, (before, since) => {
        const earlier = recorded(before);
        const later = recorded([...before, ...since]);
        const difference = subtract(later, earlier);
        expect(quantilesBetween(earlier, later, [0.5, 0.99])).toEqual([
          quantile(difference, 0.5),
          quantile(difference, 0.99),
        ]);
      }),
    );
  });
});
