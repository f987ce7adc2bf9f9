import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { manualClock } from '../../kernel/clock.ts';
import { httpOrigin, rawOrigin, snapshot, statuses, testEdge } from './edge.fixture.ts';
import { CloseFrameWatch } from './websocket-close.ts';

async function echoApp() {
  const app = await httpOrigin((_, response) => response.end('plain'));
  const sockets = new WebSocketServer({ server: app.server as never });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {});
  });
  return { ...app, sockets };
}

async function openSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: probe/1\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: probe/1\r\n\r\n';

/** Lets the sockets of this process catch up, until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a tunnel', () => {
  it.each([
    { early: false, outcome: 'ok' },
    { early: true, outcome: 'lost' },
  ])('is $outcome where a worker ends with it (early: $early)', async ({ early, outcome }) => {
    const app = await echoApp();
    const edge = await testEdge([{ port: app.port }]);
    const socket = await openSocket(edge.port);
    // The long time it was promised at first does not count any more.
    if (early) void edge.worker.retire(60_000);
    expect(await edge.worker.retire(0, early)).toBe('cut-off');
    await once(socket, 'close');
    expect(edge.outcomes()).toEqual({ [outcome]: 1 });
  });

  it('carries a WebSocket, and counts it once, when it ends', async () => {
    const app = await echoApp();
    const edge = await testEdge([{ port: app.port }]);
    const socket = await openSocket(edge.port);
    const big = Buffer.alloc(1024 * 1024, 'x');
    for (const message of [Buffer.from('hello'), big]) {
      socket.send(message);
      const [echo] = await once(socket, 'message');
      expect(message.equals(echo)).toBe(true);
    }
    expect(edge.worker.report(null, 'changes')).toMatchObject({
      accepted: 1,
      inFlight: 1,
      tunnels: 1,
    });
    expect(edge.outcomes()).toEqual({});
    socket.close();
    await once(socket, 'close');
    await until(() => edge.worker.report(null, 'changes').tunnels === 0);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('ends as ok when the app says goodbye, and as cut when the app is killed', async () => {
    const app = await echoApp();
    const edge = await testEdge([{ port: app.port }]);
    const first = await openSocket(edge.port);
    for (const client of app.sockets.clients) client.close(1001);
    expect((await once(first, 'close'))[0]).toBe(1001);
    await until(() => edge.outcomes().ok === 1);
    const second = await openSocket(edge.port);
    // What the kernel does for a killed process that had read everything: an orderly end.
    for (const socket of app.connections) socket.end();
    await once(second, 'close');
    const third = await openSocket(edge.port);
    for (const socket of app.connections) socket.resetAndDestroy();
    await once(third, 'close');
    await until(() => edge.outcomes().cut === 2);
  });

  it('sends nothing behind an upgrade before the app has agreed', async () => {
    let before = '';
    const app = await rawOrigin((socket, bytes) => {
      before += bytes;
      if (!before.endsWith('\r\n\r\n')) return;
      const first = before;
      before = '';
      setImmediate(() =>
        socket.write(`${SWITCH}${first.includes('early') ? 'SMUGGLED' : 'agreed'}`),
      );
    });
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write(`${UPGRADE}early`);
    await client.until(/agreed$/);
    await until(() => before === 'early');
    client.socket.end();
    await client.closed;
    await until(() => edge.outcomes().ok === 1);
  });

  it('goes on as HTTP when the app does not switch', async () => {
    const app = await rawOrigin((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    const edge = await testEdge([{ port: app.port }]);
    const received = await edge.say(`${UPGRADE}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(statuses(received)).toEqual([200, 200]);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });

  it('stays open for an app that still speaks to a client that has finished', async () => {
    const clock = manualClock();
    const app = await rawOrigin((socket, bytes) => {
      if (bytes.endsWith('\r\n\r\n')) socket.write(SWITCH);
    });
    app.server.removeAllListeners('end');
    const edge = await testEdge([{ port: app.port }], { clock });
    const client = edge.connect();
    client.socket.write(UPGRADE);
    await client.until(/probe\/1\r\n\r\n$/);
    const [upstream] = app.connections;
    upstream?.removeAllListeners('end');
    client.socket.end();
    if (upstream) await once(upstream, 'end');
    for (let i = 0; i < 4; i += 1) {
      await clock.advance(20_000);
      upstream?.write(`line ${i};`);
      await client.until(new RegExp(`line ${i};$`));
    }
    upstream?.end();
    await client.closed;
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('lets go of an app that has stopped reading', async () => {
    const clock = manualClock();
    const app = await rawOrigin((socket, bytes) => {
      if (bytes.endsWith('\r\n\r\n')) {
        socket.write(SWITCH);
        socket.pause();
      }
    });
    const edge = await testEdge([{ port: app.port }], { clock });
    const client = edge.connect();
    client.socket.write(UPGRADE);
    await client.until(/probe\/1\r\n\r\n$/);
    client.socket.write(Buffer.alloc(32 * 1024 * 1024));
    await until(() => client.socket.bufferSize > 0);
    for (let i = 0; i < 1_000; i += 1) await new Promise((resolve) => setImmediate(resolve));
    const [upstream] = app.connections;
    await clock.advance(601_000);
    await client.closed;
    upstream?.resume();
    await until(() => app.connections.size === 0);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('is closed after the drain deadline of its target, never before', async () => {
    const clock = manualClock();
    const app = await rawOrigin((socket, bytes) => {
      if (bytes.endsWith('\r\n\r\n')) socket.write(SWITCH);
    });
    const edge = await testEdge([{ port: app.port }], { clock });
    const clients = [edge.connect(), edge.connect(), edge.connect()];
    for (const client of clients) client.socket.write(UPGRADE);
    await Promise.all(clients.map((client) => client.until(/probe\/1\r\n\r\n$/)));
    edge.worker.apply(
      snapshot({
        number: 2,
        targets: [{ port: app.port, state: 'draining', drainUntil: clock.now() + 2_000 }],
      }),
    );
    await clock.advance(1_999);
    expect(edge.worker.report(null, 'changes').tunnels).toBe(3);
    await clock.advance(1_000);
    await Promise.all(clients.map((client) => client.closed));
    expect(edge.outcomes()).toEqual({ ok: 3 });
    const { rows } = edge.worker.report(null, 'everything');
    expect(rows.reduce((sum, row) => sum + row.drained, 0)).toBe(3);
    // Once, when the last of them had left.
    expect(edge.drained).toBe(1);
  });
});

describe('the watch for a close frame', () => {
  const seen = (...pieces: number[][]) => {
    const watch = new CloseFrameWatch();
    for (const piece of pieces) watch.see(Buffer.from(piece));
    return watch.seen;
  };

  it('sees one at the end, however it came', () => {
    expect(seen([0x88, 0x00])).toBe(true);
    expect(seen([0x81, 0x01, 0x61, 0x88], [0x02, 0x03], [0xe8])).toBe(true);
  });

  it('sees none elsewhere', () => {
    expect(seen([])).toBe(false);
    expect(seen([0x88, 0x02, 0x03])).toBe(false);
    expect(seen([0x81, 0x02, 0x61, 0x62])).toBe(false);
  });
});
