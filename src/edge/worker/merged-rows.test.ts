import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LedgerReading, ledgerDifference, outcomes } from '../../model/ledger.ts';
import { Account } from './account.ts';
import { httpOrigin, recordingOrigin, snapshot, testEdge } from './edge.fixture.ts';

const SHOP = 'shop/production';

const readingOf = (rows: LedgerReading['rows']): LedgerReading => ({
  at: 0,
  rows,
  unaccounted: 0,
  inFlight: 0,
  tunnels: 0,
});

describe('merging rows of what is gone', () => {
  it('changes no difference by environment, whenever it happens', () => {
    const place = fc.record({
      environment: fc.constantFrom('a', 'b'),
      release: fc.integer({ min: 1, max: 4 }),
      zone: fc.constantFrom('x', 'y', null),
    });
    const event = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(place, fc.constantFrom(...outcomes), fc.nat(5_000)) },
      { weight: 1, arbitrary: fc.record({ merge: place }) },
      { weight: 1, arbitrary: fc.constant('read' as const) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const account = new Account(() => {});
        /** The same counts, never merged. */
        const exact = new Account(() => {});
        const readings: { merged: LedgerReading; exact: LedgerReading }[] = [];
        const read = () => {
          const [merged, unmerged] = [account, exact].map((each) =>
            readingOf(each.readRows('everything').rows),
          );
          if (merged && unmerged) readings.push({ merged, exact: unmerged });
        };
        read();
        for (const each of events) {
          if (each === 'read') read();
          else if ('merge' in each) {
            const { environment, release } = each.merge;
            const pools = new Set([`${environment}#${release}`]);
            account.merge({ pools, environments: new Set() });
          } else {
            const [{ environment, release, zone }, outcome, latencyUs] = each;
            for (const counting of [account, exact]) {
              const pool = `${environment}#${release}`;
              const row = counting.row({ pool, environment, release, zone });
              row.recordLatency(latencyUs);
              counting.end(row, outcome, outcome === 'ok' ? 200 : 0);
            }
          }
        }
        read();
        const last = readings.at(-1);
        if (!last) return;
        for (const { merged, exact: unmerged } of readings) {
          for (const environment of ['a', 'b', undefined]) {
            const difference = ledgerDifference(merged, last.merged, environment);
            expect(difference).toEqual(ledgerDifference(unmerged, last.exact, environment));
          }
        }
      }),
    );
  });

  it('leaves one row for an environment, however many releases it has had', () => {
    const account = new Account(() => {});
    for (let release = 1; release <= 500; release += 1) {
      const pool = `${SHOP}#${release}`;
      account.end(account.row({ pool, environment: SHOP, release, zone: 'a' }), 'ok', 200);
      account.merge({ pools: new Set([pool]), environments: new Set() });
    }
    const { rows } = account.readRows('everything');
    expect(rows).toHaveLength(2);
    expect(rows.find(({ environment }) => environment === SHOP)?.outcomes.ok).toBe(500);
    account.merge({ pools: new Set(), environments: new Set([SHOP]) });
    expect(account.readRows('everything').rows).toMatchObject([
      { pool: '', environment: '', outcomes: { ok: 500 } },
    ]);
  });

  it('tells everything once, and then what changes', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    await edge.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    edge.worker.apply(snapshot({ number: 2, pools: [], rules: [] }));
    expect(edge.worker.report(null, 'changes')).toMatchObject({ complete: false });
    edge.worker.merge([`${SHOP}#1`], []);
    const told = edge.worker.report(null, 'changes');
    expect(told.complete).toBe(true);
    expect(told.rows).toMatchObject([
      { pool: '', environment: '' },
      { pool: '', environment: SHOP, outcomes: { ok: 1 } },
    ]);
    expect(edge.worker.report(null, 'changes')).toMatchObject({ rows: [], complete: false });
  });

  it('waits while something is inside', async () => {
    let respond: (() => void) | undefined;
    const app = await httpOrigin((_, response) => {
      respond = () => response.end('ok');
    });
    const edge = await testEdge([{ port: app.port }]);
    const answer = edge.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(app.server, 'request');
    edge.worker.apply(snapshot({ number: 2, pools: [], rules: [] }));
    edge.worker.merge([`${SHOP}#1`], []);
    respond?.();
    await answer;
    const { rows } = edge.worker.report(null, 'changes');
    expect(rows).toMatchObject([{ pool: `${SHOP}#1`, zone: 'a', outcomes: { ok: 1 } }]);
    edge.worker.merge([`${SHOP}#1`], []);
    expect(edge.outcomes()).toEqual({ ok: 1 });
    expect(edge.worker.report(null, 'everything').rows).toHaveLength(2);
  });
});
