import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HONOUR_THE_APP } from '../../src/model/cache.ts';
import { ledgerDifference } from '../../src/model/ledger.ts';
import { DEFAULT_TRAFFIC } from '../../src/model/traffic.ts';
import { accepting, type LiveEdge, liveEdge, snapshotOf } from '../fixtures/live-edge.ts';
import { failed, type Load, percentile, startLoad } from './support/load.ts';
import { until } from './support/until.ts';

/**
 * The only instance dies, or hangs, under load, with everything in the cache that is asked for, and
 * nothing of it for longer than a second: the client does not notice.
 */

const PAGES = 20;
const RATE_PER_SECOND = 300;
/** Long enough that all that is kept goes stale in it, and is asked about in vain. */
const OUT_S = process.env.BELAY_NIGHTLY ? 20 : 1.5;
const BEFORE_S = process.env.BELAY_NIGHTLY ? 5 : 0.5;
const ANSWER_MS = 500;
/** For a machine that is busy: who waits for the app waits for longer. */
const SLACK_MS = 250;

let live: LiveEdge;
let app: ChildProcess;
let load: Load;

beforeAll(async () => {
  live = await liveEdge();
  app = fork(join(import.meta.dirname, 'support/page-server.ts'), { execArgv: [] });
  const [port] = (await once(app, 'message')) as [number];
  const { listeners } = await live.edge.start();
  const snapshot = snapshotOf(1, { port });
  await live.edge.publish({
    ...snapshot,
    rules: snapshot.rules.map((rule) => ({
      ...rule,
      cache: { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] },
    })),
    pools: snapshot.pools.map((pool) => ({
      ...pool,
      balancing: { ...DEFAULT_TRAFFIC.balancing, responseHeadMs: ANSWER_MS },
    })),
  });
  await accepting(live, 1);
  await healthIs('healthy');
  load = startLoad({
    port: listeners[0]?.port ?? 0,
    host: 'shop.example',
    ratePerSecond: RATE_PER_SECOND,
    sockets: 0,
    pages: PAGES,
  });
});

afterAll(async () => {
  load.kill();
  app.kill('SIGKILL');
  await live.dispose();
});

async function healthIs(wanted: string): Promise<void> {
  const look = async () => {
    const told = live.events.findLast((event) => event.kind === 'targets');
    return told?.targets[0]?.health ?? null;
  };
  await until(`the app is ${wanted}`, look, (seen) => seen === wanted);
}

/** Sends for so long; the slowest and the p99 of it, but for what was late at the client itself. */
async function during(seconds: number) {
  await load.send(seconds * RATE_PER_SECOND);
  const { latenciesMs, lateMs, ...counts } = await load.pause();
  const p99Ms = percentile(latenciesMs, 0.99) - percentile(lateMs, 0.99);
  return { counts, p99Ms, slowestMs: Math.max(...latenciesMs) - Math.max(...lateMs) };
}

test('an app that hangs is waited for once, and then no more', async () => {
  const before = await during(BEFORE_S);
  const ledgerBefore = await live.edge.ledger();
  await load.send(RATE_PER_SECOND / 2);
  app.kill('SIGSTOP');
  const meeting = await during(1);
  await healthIs('unhealthy');
  const after = await during(OUT_S);
  const { outcomes } = ledgerDifference(ledgerBefore, await live.edge.ledger());
  console.log(
    `p99 ${before.p99Ms.toFixed(1)} ms before, ${after.p99Ms.toFixed(1)} ms while it hangs, the slowest before that ${meeting.slowestMs.toFixed(0)} ms; ${JSON.stringify(outcomes)}`,
  );
  expect(failed({ ...after.counts, latenciesMs: [], lateMs: [] })).toBe(0);
  expect(outcomes).toMatchObject({ lost: 0, cut: 0, 'app-error': 0 });
  expect(meeting.slowestMs).toBeLessThan(2 * ANSWER_MS);
  expect(after.p99Ms).toBeLessThan(before.p99Ms + SLACK_MS);
  app.kill('SIGCONT');
  await healthIs('healthy');
});

test('an app that is killed is not missed, however long it is gone', async () => {
  const before = await during(BEFORE_S);
  const ledgerBefore = await live.edge.ledger();
  await load.send(RATE_PER_SECOND / 2);
  app.kill('SIGKILL');
  const after = await during(OUT_S);
  const { outcomes } = ledgerDifference(ledgerBefore, await live.edge.ledger());
  console.log(
    `p99 ${before.p99Ms.toFixed(1)} ms before, ${after.p99Ms.toFixed(1)} ms without the app; ${JSON.stringify(outcomes)}`,
  );
  expect(failed({ ...after.counts, latenciesMs: [], lateMs: [] })).toBe(0);
  expect(outcomes).toMatchObject({ lost: 0, cut: 0, 'app-error': 0 });
  expect(outcomes.cached).toBeGreaterThan(OUT_S * RATE_PER_SECOND);
  expect(after.p99Ms).toBeLessThan(before.p99Ms + SLACK_MS);
});
