import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { DEFAULT_EDGE_SETTINGS } from '../../src/model/edge-settings.ts';
import { type LedgerReading, ledgerDifference, noOutcomes } from '../../src/model/ledger.ts';
import { poolId, type Snapshot } from '../../src/model/snapshot.ts';
import {
  type App,
  ENVIRONMENT,
  type LiveEdge,
  liveEdge,
  serve,
  snapshotOf,
  startApp,
} from '../fixtures/live-edge.ts';
import { ended, type Load, type LoadCounts, percentile, startLoad } from './support/load.ts';

/**
 * The edge is changed again and again under the load of an independent client, with WebSockets open:
 * by its count nothing is lost, no WebSocket closes, and the ledger has the same figures.
 */

const LONG = Boolean(process.env.BELAY_NIGHTLY);
const CHANGES = LONG ? 600 : 30;
const CHANGE_PERIOD_MS = 100;
const UPGRADES = LONG ? 10 : 3;
/** Between two upgrades, so that each meets connections and requests in use. */
const SENT_BETWEEN = 60;
const RATE_PER_SECOND = 200;
const SOCKETS = 20;
/** Long after the test. */
const DRAIN_MS = 600_000;

let live: LiveEdge;
let others: App[] = [];
let load: Load;
let first: { counts: LoadCounts; ledger: LedgerReading };

beforeEach(async () => {
  live = await liveEdge();
  others = [await startApp(), await startApp()];
  const port = await serve(live);
  load = startLoad({ port, host: 'any', ratePerSecond: RATE_PER_SECOND, sockets: SOCKETS });
  first = { counts: await load.pause(), ledger: await live.edge.ledger() };
});

afterEach(async ({ task }) => {
  load?.kill();
  if (task.result?.state === 'fail')
    console.error(readFileSync(`${live.home}/edge/edge.log`, 'utf8'));
  await live?.dispose();
  for (const app of others) await app.close();
});

describe('under the load of an independent client, nothing is lost', () => {
  test(`in ${CHANGES} snapshot changes, ten a second`, { timeout: 120_000 }, async () => {
    await load.send(SENT_BETWEEN);
    const published: Promise<void>[] = [];
    const acknowledgedMs: number[] = [];
    const startedAt = systemClock.monotonic();
    for (let change = 1; change <= CHANGES; change += 1) {
      const dueMs = startedAt + change * CHANGE_PERIOD_MS - systemClock.monotonic();
      await systemClock.sleep(Math.max(0, dueMs));
      const publishedAt = systemClock.monotonic();
      const acknowledged = () => {
        acknowledgedMs.push(systemClock.monotonic() - publishedAt);
      };
      published.push(live.edge.publish(snapshotNumber(1 + change)).then(acknowledged));
    }
    await Promise.all(published);
    await load.send(SENT_BETWEEN);
    const status = await live.edge.status();
    expect(status.snapshot).toBe(1 + CHANGES);
    expect(status.targets).toHaveLength(3);
    await judge(`acknowledged after ${percentile(acknowledgedMs, 0.99).toFixed(0)} ms (p99)`);
  });

  // By day, the upgrade of no-loss.test.ts stands for it.
  test.skipIf(!LONG)(`in ${UPGRADES} upgrades`, { timeout: 300_000 }, async () => {
    const before = await live.edge.status();
    for (let upgrade = 1; upgrade <= UPGRADES; upgrade += 1) {
      await load.send(SENT_BETWEEN);
      await live.edge.upgrade();
    }
    await load.send(SENT_BETWEEN);
    const after = await live.edge.status();
    expect(after.generation).toBe(before.generation + UPGRADES);
    expect(after.workers.filter(({ accepting }) => accepting)).toHaveLength(1);
    await judge(`${after.workers.length} generations live`);
  });
});

/** What was seen since the first look, by the client and by the ledger. */
async function judge(how: string): Promise<void> {
  const counts = await load.pause();
  const ledger = await live.edge.ledger();
  const { outcomes } = ledgerDifference(first.ledger, ledger);
  const seen = ended(counts) - ended(first.counts);
  const p99Ms = percentile(counts.latenciesMs, 0.99);
  console.log(`${seen} requests, p99 ${p99Ms.toFixed(0)} ms; ${how}`);
  expect.soft(counts.failures).toEqual([]);
  expect
    .soft(counts.sockets)
    .toMatchObject({ opened: SOCKETS, open: SOCKETS, closed: 0, wrong: 0 });
  expect.soft(counts.sockets.sent).toBeGreaterThan(0);
  expect.soft(outcomes).toEqual({ ...noOutcomes(), ok: seen });
  expect.soft(ledger).toMatchObject({ unaccounted: 0, inFlight: SOCKETS, tunnels: SOCKETS });
}

/**
 * As deployments, scaling and people change it: weights move, a target stands by, drains and comes
 * back, names come and go, settings differ.
 */
function snapshotNumber(number: number): Snapshot {
  const base = snapshotOf(number, live.app);
  const [pool] = base.pools;
  const [target] = pool?.targets ?? [];
  const [rule] = base.rules;
  if (!pool || !target || !rule) throw new Error('the snapshot of the tests has one of each');
  const [second, third] = others.map((app, index) => ({
    ...target,
    id: `i-0000000${index + 2}`,
    port: app.port,
  }));
  if (!second || !third) throw new Error('there are two more apps');
  const states = ['active', 'standby', 'active', 'draining'] as const;
  const state = states[number % states.length] ?? 'active';
  const drainUntil = state === 'draining' ? systemClock.now() + DRAIN_MS : null;
  const next = poolId(ENVIRONMENT, 2);
  const forward = [
    { pool: pool.id, weight: 1 + (number % 10) },
    { pool: next, weight: (number * 3) % 10 },
  ];
  return {
    ...base,
    settings: { ...DEFAULT_EDGE_SETTINGS, idleMs: 60_000 + number },
    rules: [
      { ...rule, forward },
      ...(number % 2 === 0 ? [{ ...rule, hosts: [`name-${number}`], forward }] : []),
    ],
    pools: [
      { ...pool, targets: [target, { ...second, state, drainUntil }] },
      { ...pool, id: next, release: 2, targets: [third] },
    ],
  };
}
