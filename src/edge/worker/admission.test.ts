import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import {
  httpOrigin,
  rawOrigin,
  recordingOrigin,
  settled,
  snapshot,
  statuses,
  type TestEdge,
  testEdge,
} from './edge.fixture.ts';

/** Whom the edge lets in, on real sockets. */

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const rule = (admission: Partial<typeof DEFAULT_TRAFFIC.admission>) => ({
  admission: { ...DEFAULT_TRAFFIC.admission, ...admission },
});

/** One that has been answered and stays open. */
async function visitor(edge: TestEdge) {
  const client = edge.connect();
  client.socket.write(GET);
  await client.until(/ok$/);
  return client;
}

/** From another address of this machine, as another client. */
async function statusFrom(localAddress: string, edge: TestEdge): Promise<number[]> {
  const socket = connect({ port: edge.port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  socket.end(GET);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return statuses(text);
}

describe('a rate for each client', () => {
  const perClient = { requestsPerSecond: 1, burst: 2 };

  it('answers 429 above it, says when to come again, and keeps the connection', async () => {
    const app = await recordingOrigin();
    const clock = manualClock();
    const edge = await testEdge([{ port: app.port }], { clock, rule: rule({ perClient }) });
    const client = edge.connect();
    client.socket.write(GET.repeat(3));
    const received = await client.until(/ 429 [\s\S]*second\.\n$/);
    expect(statuses(received)).toEqual([200, 200, 429]);
    expect(received).toContain('Retry-After: 1\r\n');
    expect(received).toContain('Connection: keep-alive\r\n');
    await clock.advance(1_000);
    client.take();
    client.socket.write(GET);
    expect(statuses(await client.until(/ok$/))).toEqual([200]);
    expect(edge.outcomes()).toEqual({ ok: 3, shed: 1 });
    expect(app.seen).toHaveLength(3);
  });

  it('is over all connections of an address, and not those of another', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], {
      clock: manualClock(),
      rule: rule({ perClient }),
    });
    for (const expected of [200, 200, 429, 429]) {
      expect(await statusFrom('127.0.0.1', edge)).toEqual([expected]);
    }
    expect(await statusFrom('127.0.0.2', edge)).toEqual([200]);
  });

  it('closes behind a body that it has not read', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], {
      clock: manualClock(),
      rule: rule({ perClient: { requestsPerSecond: 1, burst: 1 } }),
    });
    const client = await visitor(edge);
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nGET / HTT');
    expect(statuses(await client.closed)).toEqual([200, 429]);
    expect(edge.outcomes()).toEqual({ ok: 1, shed: 1 });
  });
});

describe('a bound on connections', () => {
  it('tells those above it 503 and closes, and lets in again when one has left', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { settings: { connections: 2 } });
    const visitors = [await visitor(edge), await visitor(edge)];
    const received = await edge.say(GET);
    expect(statuses(received)).toEqual([503]);
    expect(received).toContain('Retry-After: 1\r\n');
    expect(received).toContain('Connection: close\r\n');
    // It is no request: nothing of it was read.
    expect(edge.outcomes()).toEqual({ ok: 2 });
    expect(edge.worker.report(null, 'changes').turnedAway).toBe(1);
    visitors[0]?.socket.destroy();
    await settled();
    expect(statuses(await edge.say(GET))).toEqual([200]);
  });

  it('lets nobody who is turned away stay longer than a moment', async () => {
    const clock = manualClock();
    const edge = await testEdge([], { clock, settings: { connections: 1 } });
    edge.connect();
    await settled();
    const stays = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void stays.destroy());
    stays.on('error', () => {});
    await once(stays.resume(), 'end');
    stays.write(GET);
    await settled();
    expect(stays.destroyed).toBe(false);
    await clock.advance(2_250);
    // A client that has heard the end finds out about the rest by writing.
    while (!stays.destroyed) {
      stays.write(GET);
      await settled(5);
    }
  });

  it('closes at once when too many are being told already', async () => {
    const edge = await testEdge([], { clock: manualClock(), settings: { connections: 1 } });
    edge.connect();
    await settled();
    const crowd = Array.from({ length: 1_100 }, () => edge.connect());
    // They keep their side open, so that each that is told stays for its moment.
    for (const { socket } of crowd) socket.removeAllListeners('end');
    await Promise.all(
      crowd.map(({ socket }) => Promise.race([once(socket, 'data'), once(socket, 'end')])),
    );
    const told = crowd.filter((client) => client.received().startsWith('HTTP/1.1 503'));
    expect(told.length).toBe(1_024);
  });

  it('holds for what is open when it comes with a snapshot', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    const open = await visitor(edge);
    await visitor(edge);
    edge.worker.apply(
      snapshot({ number: 2, targets: [{ port: app.port }], settings: { connections: 2 } }),
    );
    expect(statuses(await edge.say(GET))).toEqual([503]);
    // Those that are in stay.
    open.take();
    open.socket.write(GET);
    expect(statuses(await open.until(/ok$/))).toEqual([200]);
  });
});

describe('a bound on the connections of one client', () => {
  it('answers 429 and closes, and leaves other clients alone', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { settings: { connectionsPerClient: 2 } });
    const first = await visitor(edge);
    await visitor(edge);
    const received = await edge.say(GET);
    expect(statuses(received)).toEqual([429]);
    expect(received).toMatch(/Retry-After: 1\r\n[\s\S]*Your address has as many connections/);
    expect(await statusFrom('127.0.0.2', edge)).toEqual([200]);
    first.socket.destroy();
    await settled();
    expect(statuses(await edge.say(GET))).toEqual([200]);
  });

  it('counts what was open before it was set, and forgets it when it is taken away', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    const open = await visitor(edge);
    const set = (number: number, connectionsPerClient: number | null) =>
      edge.worker.apply(
        snapshot({ number, targets: [{ port: app.port }], settings: { connectionsPerClient } }),
      );
    set(2, 1);
    expect(statuses(await edge.say(GET))).toEqual([429]);
    set(3, null);
    expect(statuses(await edge.say(GET))).toEqual([200]);
    set(4, 1);
    open.socket.destroy();
    await settled();
    expect(statuses(await edge.say(GET))).toEqual([200]);
  });

  it('is not for trusted proxies, whose connections are many clients’', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], {
      settings: { connectionsPerClient: 1, trustedProxies: ['127.0.0.1'] },
    });
    await visitor(edge);
    await visitor(edge);
    expect(await statusFrom('127.0.0.2', edge)).toEqual([200]);
  });
});

describe('a bound on request bodies', () => {
  const limited = rule({ requestBodyBytes: 10 });
  const post = (fields: string, body: string) =>
    `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;

  it('takes one of just that size, in either framing', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { rule: limited });
    const received = await edge.say(
      post('Content-Length: 10\r\n', '0123456789'),
      post('Transfer-Encoding: chunked\r\n', '5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n'),
    );
    expect(statuses(received)).toEqual([200, 200]);
    expect(app.seen.map(({ body }) => body)).toEqual(['0123456789', '0123456789']);
  });

  it.each([
    ['by its length, before a byte of it has come', post('Content-Length: 11\r\n', '')],
    [
      'by its length, the client waiting to be asked for it',
      post('Expect: 100-continue\r\nContent-Length: 11\r\n', ''),
    ],
    ['in one chunk', post('Transfer-Encoding: chunked\r\n', 'b\r\n01234567890\r\n0\r\n\r\n')],
    [
      'in many, with a request behind',
      post('Transfer-Encoding: chunked\r\n', `${'1\r\nx\r\n'.repeat(11)}0\r\n\r\n${GET}`),
    ],
  ])('answers 413 to more, told %s, and closes', async (_, input) => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { rule: limited });
    const client = edge.connect();
    client.socket.write(input);
    const received = await client.closed;
    expect(statuses(received)).toEqual([413]);
    expect(received).toContain('Connection: close\r\n');
    expect(app.seen).toEqual([]);
    expect(edge.outcomes()).toEqual({ refused: 1 });
  });

  it('is found out in the middle, when the app has begun to read', async () => {
    const heads: string[] = [];
    const app = await rawOrigin((_, bytes) => heads.push(bytes));
    const edge = await testEdge([{ port: app.port }], { rule: limited });
    const client = edge.connect();
    client.socket.write(post('Transfer-Encoding: chunked\r\n', '5\r\n01234\r\n'));
    const [upstream] = await once(app.server, 'connection');
    await once(upstream, 'data');
    client.socket.write('6\r\n567890\r\n0\r\n\r\n');
    expect(statuses(await client.closed)).toEqual([413]);
    await settled();
    // The app must not take what it has for a whole request.
    expect(heads.join('')).not.toContain('0\r\n\r\n');
    expect(app.connections.size).toBe(0);
  });

  it('breaks a response that has begun, for there is no other answer then', async () => {
    const app = await httpOrigin((_, response) => {
      response.writeHead(200, { 'Content-Length': 5 });
      response.write('ok');
    });
    const edge = await testEdge([{ port: app.port }], { rule: limited });
    const client = edge.connect();
    client.socket.write(post('Transfer-Encoding: chunked\r\n', '5\r\n01234\r\n'));
    await client.until(/ok$/);
    client.socket.write('6\r\n567890\r\n');
    expect(statuses(await client.closed)).toEqual([200]);
    expect(edge.outcomes()).toEqual({ 'client-aborted': 1 });
  });
});
