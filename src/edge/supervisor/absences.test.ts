import { expect, it } from 'vitest';
import { snapshotOf } from '../../../test/fixtures/live-edge.ts';
import { manualClock } from '../../kernel/clock.ts';
import { emptyRow, type LedgerRow } from '../../model/ledger.ts';
import { Absences } from './absences.ts';

const [{ id: POOL, environment: ENVIRONMENT } = { id: '', environment: '' }] = snapshotOf(1, {
  port: 1,
}).pools;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const rowOf = (environment: string, pool: string): LedgerRow => ({
  ...emptyRow(environment),
  pool,
});

it('names a pool an hour after it has left, and not one that came back meanwhile', async () => {
  const clock = manualClock();
  const absences = new Absences(clock);
  const rows = [rowOf(ENVIRONMENT, POOL), rowOf(ENVIRONMENT, 'old'), rowOf('', '')];
  const present = snapshotOf(1, { port: 1 });
  const absent = { ...present, pools: [] };
  expect(absences.gone(rows, absent).pools).toEqual(new Set());
  await clock.advance(30 * MINUTE_MS);
  expect(absences.gone(rows, present).pools).toEqual(new Set());
  await clock.advance(30 * MINUTE_MS);
  expect(absences.gone(rows, absent).pools).toEqual(new Set(['old']));
  await clock.advance(HOUR_MS);
  expect(absences.gone(rows, absent)).toEqual({
    pools: new Set([POOL, 'old']),
    environments: new Set(),
  });
});

it('names an environment a day after it has left', async () => {
  const clock = manualClock();
  const absences = new Absences(clock);
  const rows = [rowOf(ENVIRONMENT, ''), rowOf('blog/production', ''), rowOf('', '')];
  const snapshot = snapshotOf(1, { port: 1 });
  absences.gone(rows, snapshot);
  await clock.advance(23 * HOUR_MS);
  expect(absences.gone(rows, snapshot).environments).toEqual(new Set());
  await clock.advance(HOUR_MS);
  expect(absences.gone(rows, snapshot).environments).toEqual(new Set(['blog/production']));
});
