import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../kernel/clock.ts';
import { type Balancing, DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { health, rawOrigin, settled, snapshot, type TestEdge, testEdge } from './edge.fixture.ts';
import { WINDOW_MS } from './ejection.ts';

/** Targets that are left out for what they answer, on real sockets, with the time in our hands. */

const { balancing } = DEFAULT_TRAFFIC;
const ejecting = { consecutiveErrors: 5, timeMs: 30_000, maxPercent: 50 };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';

const answer = (status: number, body: string) =>
  `HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

interface App {
  port: number;
  name: string;
  /** What it does with its nth request. */
  behave: (socket: Socket, request: number) => void;
}

interface Fleet {
  edge: TestEdge;
  clock: ManualClock;
  apps: App[];
  /** One request after the other; who answered how many of them well, and how many failed. */
  ask(count: number, request?: string): Promise<Record<string, number>>;
  /** Why each that is left out is, as the worker reports it. */
  leftOut(): Record<string, string>;
}

const well = (name: string) => (socket: Socket) => void socket.write(answer(200, name));
const failing = (socket: Socket) => void socket.write(answer(500, 'failed'));

async function fleet(names: readonly string[], changes: Partial<Balancing> = {}): Promise<Fleet> {
  const clock = manualClock();
  const apps = await Promise.all(
    names.map(async (name) => {
      let requests = 0;
      const app: App = { port: 0, name, behave: well(name) };
      const origin = await rawOrigin((socket) => {
        requests += 1;
        app.behave(socket, requests);
      });
      return Object.assign(app, { port: origin.port });
    }),
  );
  const targets = apps.map(({ port, name }) => ({ id: name, port }));
  const edge = await testEdge(targets, {
    clock,
    pool: { balancing: { ...balancing, ...changes } },
  });
  return {
    edge,
    clock,
    apps,
    async ask(count, request = GET) {
      const client = edge.connect();
      const answers: Record<string, number> = {};
      for (let i = 0; i < count; i += 1) {
        client.socket.write(request);
        const received = await client.until(/\r\n\r\n.+$/s);
        client.take();
        const body = received.slice(received.indexOf('\r\n\r\n') + 4);
        const who = received.startsWith('HTTP/1.1 200') ? body : 'failed';
        answers[who] = (answers[who] ?? 0) + 1;
      }
      client.socket.destroy();
      return answers;
    },
    leftOut: () =>
      Object.fromEntries(
        edge.worker
          .report(null, 'everything')
          .targets.flatMap(({ target, ejection }) =>
            ejection === undefined ? [] : [[target, ejection]],
          ),
      ),
  };
}

const app = ({ apps }: Fleet, name: string): App => {
  const found = apps.find((each) => each.name === name);
  if (!found) throw new Error(`no app ${name}`);
  return found;
};

describe('a target that answers 500 to everything', () => {
  it('gets no requests after five, and is tried again after its time', async () => {
    const test = await fleet(['a', 'b', 'c']);
    app(test, 'b').behave = failing;
    expect(await test.ask(60)).toMatchObject({ failed: 5 });
    expect(test.leftOut()).toEqual({ b: '5 errors in a row; left out for 30 s' });
    await test.clock.advance(29_000);
    expect(Object.keys(await test.ask(30)).sort()).toEqual(['a', 'c']);
    await test.clock.advance(1_250);
    expect(test.leftOut()).toEqual({});
    expect(await test.ask(30)).toMatchObject({ failed: 5 });
    expect(test.leftOut()).toEqual({ b: '5 errors in a row; left out for 60 s' });
    app(test, 'b').behave = well('b');
    await test.clock.advance(60_250);
    expect(await test.ask(30)).toEqual({ a: 10, b: 10, c: 10 });
  });

  it('comes back slowly where slow start is configured', async () => {
    const test = await fleet(['a', 'b'], { slowStartMs: 60_000 });
    app(test, 'b').behave = failing;
    await test.ask(20);
    app(test, 'b').behave = well('b');
    await test.clock.advance(30_250);
    const { b = 0 } = await test.ask(100);
    expect(b).toBeLessThan(10);
  });

  it('is told when it is left out, and when it is back', async () => {
    const test = await fleet(['a', 'b']);
    app(test, 'b').behave = failing;
    const before = test.edge.worker.activity();
    await test.ask(20);
    await settled();
    const during = test.edge.worker.activity();
    await test.clock.advance(30_250);
    expect(new Set([before, during, test.edge.worker.activity()]).size).toBe(3);
  });

  it('gets them all when it is alone', async () => {
    const test = await fleet(['a']);
    app(test, 'a').behave = failing;
    expect(await test.ask(40)).toEqual({ failed: 40 });
    expect(test.leftOut()).toEqual({});
  });

  it('goes on where that is switched off', async () => {
    const test = await fleet(['a', 'b'], { ejection: null });
    app(test, 'b').behave = failing;
    expect(await test.ask(40)).toEqual({ a: 20, failed: 20 });
  });
});

it('leaves out a target that hangs', async () => {
  const test = await fleet(['a', 'b'], { responseHeadMs: 500 });
  app(test, 'b').behave = () => {};
  const clients = Array.from({ length: 12 }, () => test.edge.connect());
  for (const client of clients) client.socket.write(GET);
  while (clients.filter((client) => client.received() !== '').length < 6) await settled();
  await test.clock.advance(1_000);
  await Promise.all(clients.map((client) => client.until(/\r\n\r\n./)));
  expect(clients.filter((client) => client.received().includes(' 504 '))).toHaveLength(6);
  expect(test.leftOut()).toEqual({ b: '5 errors in a row; left out for 30 s' });
  expect(await test.ask(20)).toEqual({ a: 20 });
});

it('leaves out a target that refuses connections, and loses no request that may be repeated', async () => {
  const test = await fleet(['a', 'b', 'c']);
  app(test, 'b').behave = (socket) => socket.destroy();
  expect((await test.ask(60)).failed).toBeUndefined();
  expect(test.leftOut()).toEqual({ b: '5 errors in a row; left out for 30 s' });
});

it('leaves out a target whose share of errors is far above its peers', async () => {
  const test = await fleet(['a', 'b', 'c']);
  app(test, 'b').behave = (socket, request) =>
    socket.write(request % 3 === 0 ? answer(503, 'busy') : answer(200, 'b'));
  expect(await test.ask(180)).toEqual({ a: 60, b: 40, c: 60, failed: 20 });
  expect(test.leftOut()).toEqual({});
  await test.clock.advance(WINDOW_MS);
  expect(test.leftOut()).toEqual({
    b: '33% of 60 requests failed, 0% at its peers; left out for 30 s',
  });
  expect(await test.ask(20)).toEqual({ a: 10, c: 10 });
});

it('takes no idle connection that an app has closed for an error of the app', async () => {
  const test = await fleet(['a', 'b']);
  const answered = new WeakSet<Socket>();
  app(test, 'b').behave = (socket) => {
    if (answered.has(socket)) socket.destroy();
    else socket.write(answer(200, 'b'));
    answered.add(socket);
  };
  expect((await test.ask(200)).failed).toBeUndefined();
  await test.clock.advance(WINDOW_MS);
  expect(test.leftOut()).toEqual({});
});

it('moves the sessions of a target that is left out, for good', async () => {
  const test = await fleet(['a', 'b', 'c']);
  const targets = test.apps.map(({ name, port }) => ({ id: name, port }));
  const base = snapshot({ number: 2, targets });
  const rules = base.rules.map((rule) => ({ ...rule, stickyMs: 3_600_000 }));
  test.edge.worker.apply({ ...base, rules, cookieKey: 'ab'.repeat(32) });
  const cookieIn = (received: string) => /Set-Cookie: ([^;]+);/i.exec(received)?.[1] ?? '';
  const first = await test.edge.say(GET);
  const home = first.slice(-1);
  const askAgain = (cookie: string) =>
    test.edge.say(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`);
  expect(await askAgain(cookieIn(first))).toMatch(new RegExp(`${home}$`));
  app(test, home).behave = failing;
  for (let i = 0; i < 5; i += 1) expect(await askAgain(cookieIn(first))).toMatch(/failed$/);
  const moved = await askAgain(cookieIn(first));
  const next = moved.slice(-1);
  expect(next).not.toBe(home);
  app(test, home).behave = well(home);
  await test.clock.advance(60_000);
  for (let i = 0; i < 5; i += 1) {
    expect(await askAgain(cookieIn(moved))).toMatch(new RegExp(`${next}$`));
  }
});

describe('a fault of several targets', () => {
  it('leaves out no more than the share', async () => {
    const test = await fleet(['a', 'b', 'c', 'd', 'e']);
    for (const name of ['a', 'b', 'c']) app(test, name).behave = failing;
    await test.ask(400);
    await test.clock.advance(250);
    expect(Object.keys(test.leftOut())).toHaveLength(2);
  });

  it('leaves out nobody when all have it', async () => {
    const test = await fleet(['a', 'b', 'c', 'd']);
    await test.ask(100);
    for (const each of test.apps) each.behave = failing;
    for (let i = 0; i < 8; i += 1) {
      expect(await test.ask(50, POST)).toEqual({ failed: 50 });
      await test.clock.advance(WINDOW_MS / 4);
      expect(test.leftOut()).toEqual({});
    }
  });
});

describe('a pool with nobody else left', () => {
  it('uses a target that is left out before those that fail their checks', async () => {
    const test = await fleet(['a', 'b', 'c'], { ejection: { ...ejecting, timeMs: 3_600_000 } });
    app(test, 'b').behave = failing;
    await test.ask(30);
    app(test, 'b').behave = well('b');
    test.edge.worker.updateHealth([health('a', 'unhealthy', true), health('c', 'unhealthy', true)]);
    expect(await test.ask(10)).toEqual({ b: 10 });
    test.edge.worker.updateHealth([health('a', 'healthy')]);
    expect(await test.ask(10)).toEqual({ a: 10 });
  });

  it('is not made by a snapshot that takes the others away', async () => {
    const test = await fleet(['a', 'b'], { ejection: { ...ejecting, timeMs: 3_600_000 } });
    app(test, 'b').behave = failing;
    await test.ask(30);
    app(test, 'b').behave = well('b');
    const { port } = app(test, 'b');
    test.edge.worker.apply(snapshot({ number: 2, targets: [{ id: 'b', port }] }));
    expect(await test.ask(10)).toEqual({ b: 10 });
  });
});
