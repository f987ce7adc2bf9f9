import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { HONOUR_THE_APP } from '../../src/model/cache.ts';
import { DEFAULT_TRAFFIC } from '../../src/model/traffic.ts';
import { accepting, type LiveEdge, liveEdge, snapshotOf } from '../fixtures/live-edge.ts';
import {
  type Answered,
  ask,
  type CrowdOrder,
  type CrowdServer,
  LARGE_BYTES,
  pieceOf,
  startCrowdServer,
} from './support/crowd.ts';
import { kill } from './support/processes.ts';

/** Many at once for what one of them is enough to ask for, and what goes wrong meanwhile. */

const WORKERS = 2;
const CLIENTS = 1_000;
const ANSWER_MS = 1_500;
/** What was cut is asked again: so often in all. */
const ATTEMPTS = 3;
/** An error may be about the one who asked: so many are asked for in turn. */
const FAILURES = 3;
const LIFETIME_MS = 1_000;

let live: LiveEdge;
let app: CrowdServer;
let port: number;

beforeAll(async () => {
  [live, app] = await Promise.all([liveEdge(), startCrowdServer()]);
  const { listeners } = await live.edge.start();
  port = listeners[0]?.port ?? 0;
  const snapshot = snapshotOf(1, app, {}, { workers: WORKERS });
  const healthy = live.nextEvent(
    (event) => event.kind === 'targets' && event.targets[0]?.health === 'healthy',
  );
  await live.edge.publish({
    ...snapshot,
    rules: snapshot.rules.map((rule) => ({
      ...rule,
      cache: { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] },
    })),
    pools: snapshot.pools.map((pool) => ({
      ...pool,
      health: { ...pool.health, intervalMs: 10_000, timeoutMs: 5_000 },
      balancing: { ...DEFAULT_TRAFFIC.balancing, responseHeadMs: ANSWER_MS, ejection: null },
    })),
  });
  await healthy;
  await accepting(live, WORKERS);
});

afterAll(async () => {
  app?.kill();
  await live?.dispose();
});

const statuses = (answers: readonly Answered[]): number[] => [
  ...new Set(answers.map(({ status }) => status)),
];

describe(`${CLIENTS} clients at once ask the app once, through each worker`, () => {
  interface Case {
    path: string;
    doing: NonNullable<CrowdOrder['doing']>;
    /** What all of them are told. */
    expected: number;
    /** Requests to the app, through each worker. */
    most: number;
  }

  const all: Case[] = [
    { path: '/new', doing: 'answer', expected: 200, most: 1 },
    { path: '/new/failing', doing: 'fail', expected: 500, most: FAILURES },
    { path: '/new/cut', doing: 'cut', expected: 502, most: ATTEMPTS },
    { path: '/new/hanging', doing: 'hang', expected: 504, most: 1 },
    { path: '/old', doing: 'answer', expected: 200, most: 1 },
    { path: '/old/failing', doing: 'fail', expected: 200, most: 1 },
    { path: '/old/cut', doing: 'cut', expected: 200, most: ATTEMPTS },
    { path: '/old/hanging', doing: 'hang', expected: 200, most: 1 },
  ];

  // Those with deadlines and several tries take their time.
  const isQuick = ({ doing }: Case) => doing === 'answer' || doing === 'fail';
  const cases = process.env.BELAY_NIGHTLY ? all : all.filter(isQuick);

  beforeAll(async () => {
    const old = cases.filter(({ path }) => path.startsWith('/old'));
    // So many, and in turn, that both workers have each: one may take several connections at a time.
    const turns = Array.from({ length: 30 }, () => old).flat();
    await Promise.all(turns.map(({ path }) => ask(port, path)));
    await systemClock.sleep(LIFETIME_MS + 100);
  });

  test.each(cases)('$path', async ({ path, doing, expected, most }) => {
    await app.tell({ path, doing, forget: true });
    const answers = await Promise.all(Array.from({ length: CLIENTS }, () => ask(port, path)));
    const ids = await app.tell({ path });
    const byWorker = Map.groupBy(ids, (id) => id.slice(0, id.indexOf('-')));
    const times = [...byWorker.values()].map(({ length }) => length);
    const slowestMs = Math.max(...answers.map(({ tookMs }) => tookMs));
    console.log(
      `${path}: asked ${times.join(' and ')} times, all told in ${slowestMs.toFixed(0)} ms`,
    );
    expect(statuses(answers)).toEqual([expected]);
    if (expected === 200) {
      expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set([path]));
    }
    expect(times.length).toBeGreaterThan(0);
    for (const each of times) expect(each).toBeLessThanOrEqual(most);
  });
});

describe('while a response comes', () => {
  const isWhole = (path: string, { status, body }: Answered): boolean =>
    status === 200 && body.equals(pieceOf(path, 0, LARGE_BYTES));

  test('the first client may go, and others not read: the rest get all of it', async () => {
    const path = '/large/left';
    /** Resolves with the connection once some of the answer has come. */
    const begin = async () => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
      await new Promise((resolve) => socket.once('readable', resolve));
      return socket;
    };
    const first = await begin();
    // Who comes later gets at once what has come until then, whichever worker it is.
    const slow = await Promise.all(Array.from({ length: 6 }, begin));
    const rest = Array.from({ length: 20 }, () => ask(port, path));
    first.destroy();
    await app.tell({ path, doing: 'release' });
    const answers = await Promise.all(rest);
    expect(answers.map((answer) => isWhole(path, answer))).toEqual(rest.map(() => true));
    expect((await app.tell({ path })).length).toBeLessThanOrEqual(WORKERS);
    for (const socket of slow) socket.destroy();
  });

  test('a worker may be killed: nobody gets what is wrong, and what comes next is right', async () => {
    const paths = Array.from({ length: 8 }, (_, i) => `/large/killed/${i}`);
    const asking = paths.map((path) => ask(port, path));
    for (const path of paths) while ((await app.tell({ path })).length === 0);
    kill((await live.edge.status()).workers[0]?.pid ?? 0);
    for (const path of paths) await app.tell({ path, doing: 'release' });
    for (const [i, answer] of (await Promise.all(asking)).entries()) {
      expect(answer.status === 0 || isWhole(paths[i] ?? '', answer)).toBe(true);
    }
    await accepting(live, WORKERS);
    for (const path of paths) expect(isWhole(path, await ask(port, path))).toBe(true);
  });
});
