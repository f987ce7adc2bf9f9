import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  accepting,
  ENVIRONMENT,
  type LiveEdge,
  liveEdge,
  serve,
  snapshotOf,
} from '../../../test/fixtures/live-edge.ts';
import type { Snapshot, WakeRule } from '../../model/snapshot.ts';
import type { EdgeEvent } from '../driver.ts';

/** An environment that is asleep, and who wants it, whichever process of the edge is killed. */

const WORKERS = 2;
const CLIENTS = 12;

let live: LiveEdge;
let port: number;
const sockets: Socket[] = [];

beforeEach(async () => {
  live = await liveEdge();
  port = await serve(live, WORKERS);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await live.dispose();
});

/** Nobody serves, or the app does. */
function sleeping(number: number, asleep: boolean): Snapshot {
  const snapshot = snapshotOf(number, live.app, {}, { workers: WORKERS });
  const wake: WakeRule = { asleep, probePaths: ['/healthz'] };
  const pools = asleep ? [] : snapshot.pools;
  return { ...snapshot, pools, rules: snapshot.rules.map((rule) => ({ ...rule, wake })) };
}

const wantedIs =
  (...environments: string[]) =>
  (event: EdgeEvent) =>
    event.kind === 'wanted' && event.environments.join() === environments.join();

/** So many that each worker has some. */
function request(): Promise<string>[] {
  return Array.from({ length: CLIENTS }, () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.write('GET / HTTP/1.1\r\nHost: any\r\nX-Number: 7\r\n\r\n');
    return new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        if (text.includes('\r\n\r\n7')) resolve(text.slice(0, 12));
      });
      socket.on('error', () => resolve('cut'));
      socket.on('close', () => resolve('cut'));
    });
  });
}

it('tells that somebody waits, once over all workers, until somebody serves', async () => {
  await live.edge.publish(sleeping(2, true));
  const told = live.nextEvent(wantedIs(ENVIRONMENT));
  const answers = request();
  await told;
  // One that was not there when it was told learns it when it connects.
  expect((await live.driver().start()).wanted).toEqual([ENVIRONMENT]);
  const over = live.nextEvent(wantedIs());
  await live.edge.publish(sleeping(3, false));
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200']));
  await over;
  const events = live.events.filter(({ kind }) => kind === 'wanted');
  expect(events).toHaveLength(2);
});

it('goes on to tell it after a kill -9 of the supervisor, and after one of a worker', async () => {
  await live.edge.publish(sleeping(2, true));
  const told = live.nextEvent(wantedIs(ENVIRONMENT));
  const answers = request();
  await told;
  const { pid, workers } = await live.edge.status();
  const back = live.nextEvent(({ kind }) => kind === 'connected');
  process.kill(pid, 'SIGKILL');
  await back;
  expect((await live.edge.status()).wanted).toEqual([ENVIRONMENT]);
  const died = live.nextEvent(({ kind }) => kind === 'worker-died');
  process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
  expect(await died).toMatchObject({ unaccounted: expect.any(Number) });
  expect((await live.edge.status()).wanted).toEqual([ENVIRONMENT]);
  await live.edge.publish(sleeping(3, false));
  const outcomes = await Promise.all(answers);
  expect(new Set(outcomes)).toEqual(new Set(['HTTP/1.1 200', 'cut']));
});

it('takes a worker that has just started for one that somebody has just left', async () => {
  await live.edge.publish(sleeping(2, false));
  const quietMs = async () => (await live.edge.quietMs())[ENVIRONMENT] ?? Number.NaN;
  const first = await quietMs();
  await Promise.all(request());
  while ((await quietMs()) < first + 200);
  const { workers } = await live.edge.status();
  const died = live.nextEvent(({ kind }) => kind === 'worker-died');
  process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
  await died;
  await accepting(live, WORKERS);
  const since = performance.now();
  expect(await quietMs()).toBeLessThan(first + 200 + performance.now() - since);
});
