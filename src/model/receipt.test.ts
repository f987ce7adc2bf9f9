import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { histogram } from '../kernel/histogram.ts';
import {
  addRows,
  emptyRow,
  type LedgerReading,
  type LedgerRow,
  noOutcomes,
  type Outcome,
  outcomes,
} from './ledger.ts';
import { receiptBetween } from './receipt.ts';

const SHOP = 'shop/production';

function row(
  counts: Partial<Record<Outcome, number>>,
  changes: Partial<LedgerRow> & { latenciesUs?: number[] } = {},
): LedgerRow {
  const { latenciesUs = [], ...rest } = changes;
  const latency = histogram();
  for (const each of latenciesUs) latency.record(each);
  return {
    ...emptyRow(SHOP),
    pool: `${SHOP}#1`,
    release: 1,
    zone: 'a',
    outcomes: { ...noOutcomes(), ...counts },
    latency: latency.toSparse(),
    ...rest,
  };
}

const reading = (at: number, rows: LedgerRow[], unaccounted = 0): LedgerReading => ({
  at,
  rows,
  unaccounted,
  inFlight: 0,
  tunnels: 0,
});

describe('a receipt', () => {
  it('counts what ended between two readings and nothing else', () => {
    const before = row({ ok: 1_000, lost: 7 }, { retried: 3, drained: 1, latenciesUs: [900_000] });
    const after = row(
      { ok: 1_098, lost: 7, 'app-error': 2, cut: 1, shed: 4, 'client-aborted': 5 },
      { retried: 5, drained: 9, latenciesUs: [900_000, 2_000, 2_000, 40_000] },
    );
    expect(receiptBetween(reading(1_000, [before], 2), reading(6_000, [after], 5), SHOP)).toEqual({
      requests: 110,
      lost: 0,
      retried: 2,
      drained: 8,
      cut: 1,
      appErrors: 2,
      shed: 4,
      clientAborted: 5,
      unaccounted: 3,
      p50Ms: expect.closeTo(2, 1),
      p99Ms: expect.closeTo(40, 0),
      durationMs: 5_000,
    });
  });

  it('counts what the cache answered as passed', () => {
    const [before, after] = [row({ ok: 10, cached: 5 }), row({ ok: 11, cached: 104 })];
    const receipt = receiptBetween(reading(0, [before]), reading(1, [after]), SHOP);
    expect(receipt).toMatchObject({ requests: 100, lost: 0 });
  });

  it('takes a pool that is new from zero, and adds pools and zones up', () => {
    const old = row({ ok: 10 });
    const later = [
      row({ ok: 15 }),
      row({ ok: 1 }, { zone: 'b' }),
      row({ ok: 2 }, { pool: `${SHOP}#2`, release: 2 }),
    ];
    expect(receiptBetween(reading(0, [old]), reading(1, later), SHOP).requests).toBe(8);
  });

  it('leaves out what belongs to another environment', () => {
    const other = row({ lost: 3 }, { environment: 'blog/production', pool: 'blog/production#1' });
    expect(receiptBetween(reading(0, []), reading(1, [other]), SHOP)).toMatchObject({
      requests: 0,
      lost: 0,
      p50Ms: null,
      p99Ms: null,
    });
  });

  it('of two spans in turn adds up to the one over both', () => {
    const counts = fc.record(
      Object.fromEntries(outcomes.map((outcome) => [outcome, fc.nat(1_000)])),
    );
    fc.assert(
      fc.property(counts, counts, counts, (a, b, c) => {
        const first = row(a);
        const second = addRows(first, row(b));
        const third = addRows(second, row(c));
        const [start, middle, end] = [first, second, third].map((each, at) => reading(at, [each]));
        if (!start || !middle || !end) return;
        const parts = [receiptBetween(start, middle, SHOP), receiptBetween(middle, end, SHOP)];
        const whole = receiptBetween(start, end, SHOP);
        for (const field of ['requests', 'lost', 'cut', 'appErrors', 'shed'] as const) {
          expect(parts.reduce((total, part) => total + part[field], 0)).toBe(whole[field]);
        }
      }),
    );
  });
});
