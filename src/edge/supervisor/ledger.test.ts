import { describe, expect, it } from 'vitest';
import { noCacheCounts } from '../../model/cache.ts';
import { emptyRow, type LedgerRow, ledgerDifference } from '../../model/ledger.ts';
import type { WorkerReport } from '../link.ts';
import type { WorkerIdentity } from '../worker-record.ts';
import { type KeptBase, ledger } from './ledger.ts';

const ENVIRONMENT = 'shop/production';

const worker = (name: string): WorkerIdentity => ({
  name,
  process: { pid: 1, startTicks: 1 },
  generation: 1,
});

function row(pool: string, ok: number): LedgerRow {
  const empty = emptyRow(ENVIRONMENT);
  return { ...empty, pool, zone: 'a', outcomes: { ...empty.outcomes, ok }, latency: [10, ok] };
}

const report = (rows: LedgerRow[], inFlight = 0, complete = false): WorkerReport => ({
  request: null,
  accepted: 0,
  inFlight,
  tunnels: 1,
  rows,
  complete,
  targets: [],
});

const counts = (rows: LedgerRow[]) =>
  Object.fromEntries(rows.map(({ pool, outcomes }) => [pool, outcomes.ok]));

it('adds the rows of living workers, each as of its last report', () => {
  const account = ledger(null);
  account.open(worker('a'));
  account.open(worker('b'));
  account.report('a', report([row('p', 1)], 3));
  account.report('a', report([row('p', 5)], 2));
  account.report('a', report([], 2));
  account.report('b', report([row('p', 7), row('q', 1)], 1));
  const reading = account.read(42);
  expect(counts(reading.rows)).toEqual({ p: 12, q: 1 });
  expect(reading.rows[0]?.latency).toEqual([10, 12]);
  expect(reading).toMatchObject({ at: 42, inFlight: 3, tunnels: 2, unaccounted: 0 });
});

it('keeps what an ended worker counted, and forgets what was in flight', () => {
  const account = ledger(null);
  account.open(worker('a'));
  account.report('a', report([row('p', 5)], 2));
  expect(account.fold('a', true)).toBe(0);
  account.open(worker('b'));
  account.report('b', report([row('p', 1)]));
  expect(account.read(0)).toMatchObject({ inFlight: 0, unaccounted: 0 });
  expect(counts(account.read(0).rows)).toEqual({ p: 6 });
});

it('admits what a killed worker may have accepted and never reported', () => {
  const account = ledger(null);
  account.open(worker('a'));
  account.ceiling('a', 64);
  account.ceiling('a', 32);
  account.report('a', report([row('p', 50), row('q', 4)]));
  expect(account.fold('a', false)).toBe(10);
  expect(account.fold('a', false)).toBe(0);
  expect(account.read(0).unaccounted).toBe(10);
});

it('never takes from what is unaccounted, whatever a worker reports', () => {
  const account = ledger(null);
  account.open(worker('a'));
  account.report('a', report([row('p', 50)]));
  expect(account.fold('a', false)).toBe(0);
});

it('goes on from what is on disk, and counts no worker twice', () => {
  const earlier = ledger(null);
  earlier.open(worker('ended'));
  earlier.report('ended', report([row('p', 5)]));
  earlier.open(worker('living'));
  earlier.ceiling('living', 64);
  earlier.report('living', report([row('p', 7)]));
  // Killed between the writing of the two files: the ended worker is in both.
  const living = earlier.living();
  earlier.fold('ended', true);
  const base: KeptBase = JSON.parse(JSON.stringify(earlier.base()));

  const account = ledger(base);
  expect(living.map((kept) => account.open(kept.worker, kept))).toEqual([false, true]);
  expect(counts(account.read(0).rows)).toEqual({ p: 12 });
  account.report('living', report([row('p', 9)]));
  expect(counts(account.read(0).rows)).toEqual({ p: 14 });
  expect(account.fold('living', false)).toBe(55);
});

it('keeps what clients were told, over workers that have ended and those that live', () => {
  const account = ledger(null);
  const told = (answers: LedgerRow['answers']) => report([{ ...row('p', 3), answers }]);
  account.open(worker('a'));
  account.report('a', told({ 'ok 2xx': 2, 'ok 3xx': 1 }));
  account.fold('a', true);
  const before = account.read(0);
  account.open(worker('b'));
  account.report('b', told({ 'ok 2xx': 1, 'lost 5xx': 2 }));
  const after = account.read(1);
  expect(after.rows[0]?.answers).toEqual({ 'ok 2xx': 3, 'ok 3xx': 1, 'lost 5xx': 2 });
  expect(ledgerDifference(before, after).answers).toEqual({ 'ok 2xx': 1, 'lost 5xx': 2 });
});

it('tells the traffic of targets over workers that have ended and those that live', () => {
  const account = ledger(null);
  const target = { pool: 'p', id: 'i-1' };
  const passed = (requests: number) => ({
    ...report([]),
    traffic: [{ ...target, requests, appErrors: 0, failures: 0, latency: [10, requests] }],
  });
  for (const [name, requests] of [
    ['a', 2],
    ['b', 3],
  ] as const) {
    account.open(worker(name));
    account.report(name, passed(requests));
    // Most reports say nothing of it.
    account.report(name, report([]));
  }
  account.fold('a', false);
  expect(account.traffic([target])).toMatchObject([{ requests: 5, latency: [10, 5] }]);
  account.keepTargets([]);
  expect(account.traffic([target])).toMatchObject([{ requests: 0, latency: [] }]);
});

it('hears nothing from a worker that has ended', () => {
  const account = ledger(null);
  account.open(worker('a'));
  account.fold('a', true);
  account.report('a', report([row('p', 5)]));
  account.ceiling('a', 100);
  expect(account.open(worker('a'))).toBe(false);
  expect(account.read(0)).toMatchObject({ rows: [], unaccounted: 0 });
});

it('tells what is long gone more coarsely, and every total stays', () => {
  const account = ledger(null);
  account.open(worker('ended'));
  account.report('ended', report([row('p', 5), row('q', 3)]));
  account.fold('ended', true);
  account.open(worker('living'));
  account.report('living', report([row('p', 1), row('q', 2)]));
  const before = account.read(0);
  account.merge({ pools: new Set(['p']), environments: new Set() });
  // The living worker has not done it yet.
  expect(counts(account.read(1).rows)).toEqual({ '': 5, p: 1, q: 5 });
  expect(ledgerDifference(before, account.read(1), ENVIRONMENT).outcomes.ok).toBe(0);
  const merged = { ...row('', 4), zone: null };
  account.report('living', report([merged, row('q', 2)], 0, true));
  const after = account.read(2);
  expect(counts(after.rows)).toEqual({ '': 9, q: 5 });
  const difference = ledgerDifference(before, after, ENVIRONMENT);
  expect([difference.outcomes.ok, difference.latency]).toEqual([3, [10, 3]]);
});

it('counts connections that were not let in over all workers, and those before a restart', () => {
  const account = ledger(null);
  for (const name of ['a', 'b']) account.open(worker(name));
  account.report('a', { ...report([]), turnedAway: 3 });
  account.report('b', { ...report([]), turnedAway: 4 });
  account.fold('a', true);
  expect(account.read(0).turnedAway).toBe(7);
  const next = ledger(account.base());
  for (const kept of account.living()) next.open(kept.worker, kept);
  expect(next.read(0).turnedAway).toBe(7);
});

it('reads what versions kept that did not count them', () => {
  const { turnedAway, ...earlier } = ledger(null).base();
  expect(turnedAway).toBe(0);
  const next = ledger(earlier);
  next.open(worker('a'), { ceiling: 0, rows: [] });
  next.report('a', report([]));
  expect(next.read(0).turnedAway).toBe(0);
});

describe('what caches have done', () => {
  const cached = (hits: number, environment = ENVIRONMENT) => ({
    ...report([]),
    cache: { [environment]: { ...noCacheCounts(), hits, savedBytes: hits * 10 } },
  });

  it('is summed over workers that have ended, those that live, and those before a restart', () => {
    const account = ledger(null);
    for (const name of ['a', 'b', 'c']) account.open(worker(name));
    account.report('a', cached(3));
    account.report('b', cached(1));
    account.report('b', cached(4));
    account.report('c', cached(2, 'blog/production'));
    account.fold('a', false);
    const whole = {
      [ENVIRONMENT]: { ...noCacheCounts(), hits: 7, savedBytes: 70 },
      'blog/production': { ...noCacheCounts(), hits: 2, savedBytes: 20 },
    };
    expect(account.read(0).cache).toEqual(whole);
    expect(account.read(1).cache).toEqual(whole);
    const next = ledger(JSON.parse(JSON.stringify(account.base())));
    for (const kept of account.living()) next.open(kept.worker, kept);
    expect(next.read(0).cache).toEqual(whole);
    next.fold('b', true);
    expect(next.read(0).cache).toEqual(whole);
  });

  it('is nothing in workers and homes of earlier versions, and less where less was counted', () => {
    const { cache, ...earlier } = ledger(null).base();
    expect(cache).toEqual({});
    const next = ledger(earlier);
    for (const name of ['a', 'b']) next.open(worker(name), { ceiling: 0, rows: [] });
    next.report('a', report([]));
    const { appBytes, ...fewer } = noCacheCounts();
    next.report('b', { ...report([]), cache: { [ENVIRONMENT]: { ...fewer, hits: 1 } as never } });
    expect(next.read(0).cache).toEqual({ [ENVIRONMENT]: { ...noCacheCounts(), hits: 1 } });
  });

  it('is told without its name once an environment is long gone', () => {
    const account = ledger(null);
    account.open(worker('a'));
    account.report('a', cached(3));
    account.fold('a', true);
    account.merge({ pools: new Set(), environments: new Set([ENVIRONMENT]) });
    expect(account.read(0).cache).toMatchObject({ '': { hits: 3 } });
    expect(Object.keys(account.read(0).cache ?? {})).toEqual(['']);
  });
});

it('tells how long nobody has wanted an environment in any worker', () => {
  const account = ledger(null);
  for (const name of ['a', 'b']) account.open(worker(name));
  const quiet = (quietMs: Record<string, number>) => ({ ...report([]), quietMs });
  account.report('a', quiet({ shop: 5_000, blog: 900 }));
  expect(account.quietMs()).toEqual({});
  account.report('b', quiet({ shop: 3_000 }));
  // Who does not know of one may have just got its first request.
  expect(account.quietMs()).toEqual({ shop: 3_000, blog: 0 });
  account.forgetQuiet();
  account.report('a', quiet({ shop: 6_000 }));
  expect(account.quietMs()).toEqual({});
  account.fold('b', true);
  expect(account.quietMs()).toEqual({ shop: 6_000 });
});

it('knows nothing of who wants what from a worker of an earlier version', () => {
  const account = ledger(null);
  account.open(worker('a'));
  account.report('a', report([]));
  expect([account.quietMs(), account.wanted()]).toEqual([{}, []]);
});

it('tells which environments are wanted by some worker that lives', () => {
  const account = ledger(null);
  for (const name of ['a', 'b']) account.open(worker(name));
  account.report('a', { ...report([]), wanted: ['shop', 'blog'] });
  account.report('b', { ...report([]), wanted: ['shop'] });
  expect(account.wanted()).toEqual(['blog', 'shop']);
  account.fold('a', false);
  expect(account.wanted()).toEqual(['shop']);
});

it('tells how many wait, over the workers that live, unless one of them cannot say', () => {
  const account = ledger(null);
  for (const name of ['a', 'b']) account.open(worker(name));
  account.report('a', { ...report([]), waiting: { shop: 3, blog: 1 } });
  account.report('b', { ...report([]), waiting: { shop: 2 } });
  expect(account.waiting()).toEqual({ shop: 5, blog: 1 });
  account.report('b', report([]));
  expect(account.waiting()).toBeNull();
  account.fold('b', false);
  expect(account.waiting()).toEqual({ shop: 3, blog: 1 });
});
