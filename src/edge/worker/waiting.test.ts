import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { type Admission, type Balancing, DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import {
  health,
  httpOrigin,
  type Origin,
  rawOrigin,
  settled,
  snapshot,
  statuses,
  type TestEdge,
  testEdge,
} from './edge.fixture.ts';
import { type Waiting, WaitQueue } from './wait-queue.ts';

const { admission, balancing } = DEFAULT_TRAFFIC;

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Lets the sockets of this process catch up, until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settled(1);
}

interface HeldApp extends Origin {
  /** Paths in the order they came. */
  seen: string[];
  /** The most it ever had inside. */
  most: number;
  /** Answers the oldest request inside it. */
  release(): void;
}

/** An app that answers a request when it is told to. */
async function heldApp(): Promise<HeldApp> {
  const inside: ServerResponse[] = [];
  const seen: string[] = [];
  const origin = await httpOrigin((request, response) => {
    seen.push(request.url ?? '');
    inside.push(response);
    app.most = Math.max(app.most, inside.length);
  });
  const app: HeldApp = Object.assign(origin, {
    seen,
    most: 0,
    release: () => {
      inside.shift()?.end('ok');
    },
  });
  return app;
}

/** An edge that lets one request at a time into each of these. */
const boundedEdge = (
  apps: readonly Origin[],
  fields: { admission?: Partial<Admission>; balancing?: Partial<Balancing> } = {},
  clock = manualClock(),
): Promise<TestEdge & { clock: typeof clock }> =>
  testEdge(
    apps.map(({ port }) => ({ port })),
    {
      clock,
      rule: { admission: { ...admission, ...fields.admission } },
      pool: { balancing: { ...balancing, maxConcurrency: 1, ...fields.balancing } },
    },
  ).then((edge) => ({ ...edge, clock }));

/** Sends a request of a client's own; resolves when the edge has it. */
async function send(edge: TestEdge, path: string) {
  const accepted = () => edge.worker.report(null, 'everything').accepted;
  const before = accepted();
  const client = edge.connect();
  client.socket.write(get(path));
  await until(() => accepted() > before);
  return client;
}

describe('requests beyond what the targets may have inside', () => {
  it('are served in the order they came, as soon as there is room', async () => {
    const app = await heldApp();
    const edge = await boundedEdge([app]);
    const clients = [];
    for (const path of ['/0', '/1', '/2', '/3', '/4']) clients.push(await send(edge, path));
    for (let i = 1; i <= 5; i += 1) {
      await until(() => app.seen.length === i);
      await settled(5);
      expect(app.seen).toHaveLength(i);
      app.release();
    }
    for (const client of clients) expect(statuses(await client.until(/ok$/))).toEqual([200]);
    expect(app.seen).toEqual(['/0', '/1', '/2', '/3', '/4']);
    expect([app.most, app.connectionCount]).toEqual([1, 1]);
  });

  it('fill every target before they wait', async () => {
    const apps = await Promise.all([heldApp(), heldApp()]);
    const edge = await boundedEdge(apps, { balancing: { maxConcurrency: 2 } });
    for (let i = 0; i < 6; i += 1) await send(edge, `/${i}`);
    await until(() => apps.every(({ seen }) => seen.length === 2));
    const waiting = () => edge.worker.report(null, 'changes').waiting;
    await until(() => waiting()?.['shop/production'] === 2);
    for (const app of apps) app.release();
    await until(() => apps.every(({ seen }) => seen.length === 3));
    expect(apps.map(({ most }) => most)).toEqual([2, 2]);
    expect(waiting()).toEqual({});
  });

  it('are not overtaken by the next request of the client that makes room', async () => {
    const app = await heldApp();
    const edge = await boundedEdge([app]);
    const first = edge.connect();
    first.socket.write(get('/first') + get('/next'));
    await until(() => app.seen.length === 1);
    await send(edge, '/second');
    for (let i = 1; i <= 3; i += 1) {
      await until(() => app.seen.length === i);
      app.release();
    }
    expect(app.seen).toEqual(['/first', '/second', '/next']);
  });

  it('come behind one that has to be sent again', async () => {
    const seen: string[] = [];
    let answer: (() => void) | undefined;
    const app = await rawOrigin((socket, bytes) => {
      seen.push(bytes.split(' ')[1] ?? '');
      const [path] = seen.slice(-1);
      answer = () =>
        path === '/broken' && seen.length === 1
          ? socket.destroy()
          : socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const edge = await boundedEdge([app]);
    for (const path of ['/broken', '/a', '/b']) await send(edge, path);
    for (let i = 1; i <= 4; i += 1) {
      await until(() => seen.length === i);
      answer?.();
    }
    // `/a` had the room before it was known that `/broken` needs it again.
    expect(seen).toEqual(['/broken', '/a', '/broken', '/b']);
    await until(() => edge.outcomes().ok === 3);
  });

  it('leave their place when their client goes', async () => {
    const app = await heldApp();
    const edge = await boundedEdge([app], { admission: { queueLength: 2 } });
    await send(edge, '/inside');
    const gone = await send(edge, '/gone');
    await send(edge, '/waits');
    const shed = await send(edge, '/shed');
    expect(await shed.until(/instance/)).toContain('503');
    gone.socket.resetAndDestroy();
    await until(() => edge.outcomes()['client-aborted'] === 1);
    await send(edge, '/fits');
    for (let i = 1; i <= 3; i += 1) {
      await until(() => app.seen.length === i);
      app.release();
    }
    await until(() => edge.outcomes().ok === 3);
    expect(app.seen).toEqual(['/inside', '/waits', '/fits']);
    expect(edge.outcomes()).toEqual({ ok: 3, shed: 1, 'client-aborted': 1 });
  });

  it('get 503 at the deadline, shed where all are busy and lost where nobody is there', async () => {
    const app = await heldApp();
    const edge = await boundedEdge([app], { admission: { queueMs: 5_000 } });
    await send(edge, '/inside');
    await until(() => app.seen.length === 1);
    const busy = await send(edge, '/busy');
    await edge.clock.advance(4_900);
    expect(busy.received()).toBe('');
    await edge.clock.advance(400);
    const answer = await busy.until(/instances/);
    expect(statuses(answer)).toEqual([503]);
    expect(answer).toContain('Retry-After: 1\r\n');
    expect(answer).toContain('All instances are busy');
    expect(edge.outcomes()).toEqual({ shed: 1 });
    edge.worker.updateHealth([health('i-0', 'initial', false)]);
    const nobody = await send(edge, '/nobody');
    await edge.clock.advance(5_400);
    expect(await nobody.until(/instance/)).toContain('No instance became ready in time');
    expect(edge.outcomes()).toEqual({ shed: 1, lost: 1 });
    app.release();
    await until(() => edge.outcomes().ok === 1);
    expect(app.seen).toEqual(['/inside']);
  });

  it('do not wait for upgraded connections', async () => {
    const app = await httpOrigin((_, response) => response.end('plain'));
    app.server.on('upgrade', (_, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: probe/1\r\n\r\n',
      );
    });
    const edge = await boundedEdge([app]);
    const tunnel = edge.connect();
    tunnel.socket.write(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: probe/1\r\n\r\n',
    );
    await tunnel.until(/101/);
    expect(statuses(await edge.say(get('/')))).toEqual([200]);
  });

  it('are not begun when the worker gives up on all', async () => {
    const app = await heldApp();
    const edge = await boundedEdge([app]);
    await send(edge, '/inside');
    await send(edge, '/waits');
    await until(() => app.seen.length === 1);
    await edge.worker.close();
    await settled();
    expect([app.seen, app.connectionCount]).toEqual([['/inside'], 1]);
    expect(edge.outcomes()).toEqual({ lost: 2 });
  });

  it('go at once when a target comes up', async () => {
    const [first, second] = await Promise.all([heldApp(), heldApp()]);
    const edge = await boundedEdge([first, second]);
    edge.worker.updateHealth([health('i-1', 'initial', false)]);
    for (const path of ['/0', '/1', '/2']) await send(edge, path);
    await until(() => first.seen.length === 1);
    edge.worker.updateHealth([health('i-1', 'healthy')]);
    await until(() => second.seen.length === 1);
    expect([first.seen, second.seen]).toEqual([['/0'], ['/1']]);
  });
});

describe('requests that wait while their name moves to another environment', () => {
  const elsewhere = (number: number, ports: [old: number, next: number], queueLength = 8) => {
    const base = snapshot({ number, targets: [{ port: ports[0] }] });
    const [rule] = base.rules;
    const [pool] = base.pools;
    const [target] = pool?.targets ?? [];
    if (!rule || !pool || !target) throw new Error('the snapshot of the tests has one of each');
    const environment = 'shop/next';
    const id = `${environment}#1`;
    return {
      ...base,
      rules: [
        {
          ...rule,
          environment,
          forward: [{ pool: id, weight: 1 }],
          admission: { ...admission, queueLength },
        },
      ],
      pools: [
        { ...pool, balancing: { ...balancing, maxConcurrency: 1 } },
        { ...pool, id, environment, targets: [{ ...target, port: ports[1] }] },
      ],
    };
  };
  const arrive = { ...health('i-0', 'healthy'), pool: 'shop/next#1' };

  it('go where the rule goes, behind one another, and not to where they waited', async () => {
    const [old, next] = await Promise.all([heldApp(), heldApp()]);
    const edge = await boundedEdge([old]);
    const clients = [];
    for (const path of ['/inside', '/0', '/1']) clients.push(await send(edge, path));
    await until(() => old.seen.length === 1);
    edge.worker.updateHealth([arrive]);
    edge.worker.apply(elsewhere(2, [old.port, next.port]));
    for (let i = 1; i <= 2; i += 1) {
      await until(() => next.seen.length === i);
      next.release();
    }
    old.release();
    for (const client of clients) expect(statuses(await client.until(/ok$/))).toEqual([200]);
    expect([old.seen, next.seen]).toEqual([['/inside'], ['/0', '/1']]);
  });

  it('are shed where there is no place for them', async () => {
    const [old, next] = await Promise.all([heldApp(), heldApp()]);
    const edge = await boundedEdge([old]);
    for (const path of ['/inside', '/0']) await send(edge, path);
    const last = await send(edge, '/1');
    await until(() => old.seen.length === 1);
    edge.worker.apply(elsewhere(2, [old.port, next.port], 1));
    expect(statuses(await last.until(/instance/))).toEqual([503]);
    edge.worker.updateHealth([arrive]);
    await until(() => next.seen.length === 1);
    expect(next.seen).toEqual(['/0']);
    expect(edge.outcomes()).toEqual({ shed: 1 });
  });
});

describe('the queue', () => {
  const place = (environment: string, queueLength = 100) => ({
    environment,
    admission: { queueLength },
  });

  const staying = { destination: () => place('shop'), findNoPlace: () => {} };

  /** Requests that go on while there is room, and where they went. */
  function requests(room: { left: number }) {
    const gone: string[] = [];
    const request = (name: string): Waiting => ({
      isDemand: true,
      ...staying,
      tryAgain() {
        if (room.left === 0) return false;
        room.left -= 1;
        gone.push(name);
        return true;
      },
    });
    return { gone, request };
  }

  it('keeps everybody’s place when there is no room after all', () => {
    const room = { left: 0 };
    const { gone, request } = requests(room);
    const queue = new WaitQueue();
    for (const name of ['a', 'b', 'c']) queue.add(request(name), place('shop'));
    for (const left of [0, 1, 0, 2]) {
      room.left = left;
      queue.serve('shop');
    }
    expect(gone).toEqual(['a', 'b', 'c']);
    expect(queue.hasLine('shop')).toBe(false);
  });

  it('asks nobody behind the first who has to wait on', () => {
    const queue = new WaitQueue();
    let asked = 0;
    const waiting: Waiting[] = Array.from({ length: 1_000 }, () => ({
      isDemand: true,
      ...staying,
      tryAgain: () => {
        asked += 1;
        return false;
      },
    }));
    for (const each of waiting) queue.add(each, place('shop', 1_000));
    for (let i = 0; i < 10; i += 1) queue.serve('shop');
    expect(asked).toBe(10);
  });

  it('lets any of them leave, and joins the rest', () => {
    const room = { left: 0 };
    const { gone, request } = requests(room);
    const queue = new WaitQueue();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const all = names.map(request);
    for (const each of all) queue.add(each, place('shop'));
    for (const i of [0, 2, 4, 2]) queue.remove(all[i] as Waiting);
    queue.add(request('f'), place('shop'));
    queue.add(request('front'), place('shop'), 'front');
    room.left = 10;
    queue.serveAll();
    expect(gone).toEqual(['front', 'b', 'd', 'f']);
  });

  it('serves on when one that is served makes room itself', () => {
    const queue = new WaitQueue();
    const gone: string[] = [];
    const request = (name: string): Waiting => ({
      isDemand: true,
      ...staying,
      tryAgain() {
        gone.push(name);
        // It is refused on the spot, and its place is free again.
        queue.serve('shop');
        return true;
      },
    });
    for (const name of ['a', 'b', 'c']) queue.add(request(name), place('shop'));
    queue.serve('shop');
    expect(gone).toEqual(['a', 'b', 'c']);
  });

  it('keeps a line for each environment, each with its own bound', () => {
    const room = { left: 1 };
    const { gone, request } = requests(room);
    const queue = new WaitQueue();
    expect(queue.add(request('a'), place('shop', 1))).toBe('waiting');
    expect(queue.add(request('b'), place('shop', 1))).toBe('full');
    expect(queue.add(request('c'), place('blog', 1))).toBe('waiting');
    expect([queue.hasLine('shop'), queue.hasLine('blog')]).toEqual([true, true]);
    queue.serve('blog');
    expect(gone).toEqual(['c']);
    expect([queue.hasLine('shop'), queue.hasLine('blog')]).toEqual([true, false]);
  });
});
