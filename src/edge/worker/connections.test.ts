import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import {
  httpOrigin,
  type RawClient,
  rawOrigin,
  recordingOrigin,
  settled,
  snapshot,
  statuses,
  testEdge,
} from './edge.fixture.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a.localhost:8080\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

describe('header fields', () => {
  it('of one hop, or that only the edge may say, do not travel', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    await edge.say(
      get(
        'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n' +
          'Proxy-Connection: close\r\nProxy-Authorization: x\r\nProxy: http://evil\r\nUpgrade: h2c\r\nX_Under: 1\r\n' +
          'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=1.2.3.4\r\n' +
          'X-Request-Id: mine\r\nTraceparent: 00-1-2-3\r\nX-Kept: yes\r\nAccept: */*\r\n',
      ),
    );
    const headers = { ...app.seen[0]?.headers };
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}-1$/);
    delete headers['x-request-id'];
    delete headers['x-forwarded-port'];
    expect(headers).toEqual({
      host: 'a',
      traceparent: '00-1-2-3',
      'x-kept': 'yes',
      accept: '*/*',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a',
      forwarded: 'for=127.0.0.1;host="a";proto=http',
    });
  });

  it('that frame a message survive being named by Connection', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    await edge.say(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, host\r\nContent-Length: 2\r\n\r\nhi',
    );
    expect(app.seen[0]).toMatchObject({ body: 'hi', headers: { host: 'a' } });
  });

  it('cost no more to read for naming thousands of others as their own hop', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    const names = Array.from({ length: 5_000 }, (_, i) => `x${i}`).join(',');
    const startedMs = performance.now();
    for (let i = 0; i < 10; i += 1) await edge.say(get(`Connection: ${names}\r\nX7: 1\r\n`));
    expect(performance.now() - startedMs).toBeLessThan(500);
    expect(app.seen).toHaveLength(10);
    expect(app.seen[0]?.headers).not.toHaveProperty('x7');
  });

  it('of a response lose those of one hop', async () => {
    const app = await rawOrigin((socket) => {
      socket.write(
        OK.replace(
          '\r\n\r\n',
          '\r\nConnection: x-hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nX-Kept: 1\r\n\r\n',
        ),
      );
    });
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write(GET);
    const received = await client.until(/ok$/);
    expect(received).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kept: 1\r\n\r\nok');
  });

  it('pass trailers both ways', async () => {
    const app = await httpOrigin((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { Trailer: 'X-Echo' });
        response.write('ok');
        response.addTrailers({ 'X-Echo': String(request.trailers['x-sum']) });
        response.end();
      });
    });
    const edge = await testEdge([{ port: app.port }]);
    const received = await edge.say(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    expect(received).toContain('0\r\nX-Echo: 7\r\n\r\n');
  });
});

describe('a client connection', () => {
  it('gives a client that has half-closed its answer', async () => {
    const app = await rawOrigin((socket) => socket.write('HTTP/1.1 200 OK\r\n'));
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.end(GET);
    const [upstream] = await once(app.server, 'connection');
    await once(upstream, 'data');
    upstream.write('Content-Length: 2\r\n\r\nok');
    expect(await client.closed).toMatch(/Connection: close\r\n\r\nok$/);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('passes on an early answer to a large upload, and closes', async () => {
    const app = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    });
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\nbegin');
    const received = await client.until(/no$/);
    expect(statuses(received)).toEqual([413]);
    expect(received).toContain('Connection: close');
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it.each(['ended', 'reset'])(
    'passes on an early answer of an app whose connection is then %s',
    async (how) => {
      const app = await rawOrigin(() => {});
      app.server.on('connection', (socket: Socket) => {
        socket.once('data', () => {
          socket.pause();
          socket.write(
            'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno',
          );
          if (how === 'ended') socket.end();
          else setImmediate(() => socket.destroy());
        });
      });
      const edge = await testEdge([{ port: app.port }]);
      const body = Buffer.alloc(4 * 1024 * 1024, 'x');
      for (let i = 0; i < 20; i += 1) {
        const client = edge.connect();
        client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
        client.socket.write(body);
        expect(statuses(await client.until(/\r\n\r\n/))).toEqual([413]);
        client.socket.destroy();
      }
      expect(edge.outcomes()).toEqual({ ok: 20 });
    },
  );

  it('counts a client that leaves, and lets the app know', async () => {
    const app = await rawOrigin(() => {});
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write(GET);
    const [upstream] = await once(app.server, 'connection');
    client.socket.resetAndDestroy();
    await once(upstream, 'close');
    expect(edge.outcomes()).toEqual({ 'client-aborted': 1 });
  });

  it('waits for a slow client without collecting what the app sends', async () => {
    const total = 64 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    let stalled: () => void;
    const isStalled = new Promise<void>((resolve) => {
      stalled = resolve;
    });
    const app = await httpOrigin((_, response) => {
      response.setHeader('Content-Length', total);
      const send = () => {
        while (sent < total) {
          sent += piece.length;
          if (!response.write(piece)) {
            response.once('drain', send);
            void settled(1_000).then(() => stalled());
            return;
          }
        }
        response.end();
      };
      send();
    });
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.pause();
    client.socket.write(get('Connection: close\r\n'));
    await isStalled;
    expect(sent).toBeLessThan(total / 2);
    let received = 0;
    client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.socket.resume();
    await client.closed;
    expect(received).toBeGreaterThan(total);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('waits for a slow app without collecting what the client sends', async () => {
    const total = 32 * 1024 * 1024;
    const app = await httpOrigin((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      request.on('end', () => response.end(String(size)));
    });
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${total}\r\n\r\n`,
    );
    client.socket.write(Buffer.alloc(total, 'x'));
    expect(await client.closed).toContain(String(total));
  });
});

describe('deadlines', () => {
  const slow = async () => {
    const clock = manualClock();
    const app = await rawOrigin(() => {});
    const edge = await testEdge([{ port: app.port }], { clock });
    const client = edge.connect();
    await once(client.socket, 'connect');
    const arrived = async (bytes: string) => {
      client.socket.write(bytes);
      while (edge.worker.report(null, 'everything').accepted === 0 && bytes.includes('\r\n\r\n')) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await settled();
    };
    return { clock, app, edge, client, arrived };
  };
  const ended = async (client: RawClient, clock: ReturnType<typeof manualClock>, ms: number) => {
    await clock.advance(ms);
    return client.until(/\r\n\r\n/);
  };

  it('answer 408 to a head that does not come to an end', async () => {
    const { clock, edge, client, arrived } = await slow();
    await arrived('GET / HTTP/1.1\r\nHo');
    await clock.advance(9_000);
    await arrived('st:');
    expect(statuses(await ended(client, clock, 1_500))).toEqual([408]);
    expect(edge.outcomes()).toEqual({ refused: 1 });
  });

  it('answer 408 to a body that stops coming', async () => {
    const { clock, edge, client, arrived } = await slow();
    await arrived('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhi');
    expect(statuses(await ended(client, clock, 30_500))).toEqual([408]);
    expect(edge.outcomes()).toEqual({ refused: 1 });
  });

  it('answer 504 for an app that does not', async () => {
    const { clock, edge, client, arrived } = await slow();
    await arrived(GET);
    await clock.advance(59_000);
    expect(client.received()).toBe('');
    expect(statuses(await ended(client, clock, 1_500))).toEqual([504]);
    expect(edge.outcomes()).toEqual({ lost: 1 });
  });

  it('close one that sent an empty line, in two pieces, without a word', async () => {
    const { clock, edge, client, arrived } = await slow();
    await arrived('\r');
    await arrived('\n');
    await clock.advance(75_500);
    expect(await client.closed).toBe('');
    expect(edge.outcomes()).toEqual({});
  });

  it('close an idle connection without a word', async () => {
    const { clock, edge, client } = await slow();
    await settled();
    await clock.advance(75_500);
    expect(await client.closed).toBe('');
    expect(edge.outcomes()).toEqual({});
  });
});

describe('draining', () => {
  it('lets a request in flight finish, and takes no new one', async () => {
    let respond: (() => void) | undefined;
    const old = await httpOrigin((_, response) => {
      respond = () => response.end('old');
    });
    const next = await httpOrigin((_, response) => response.end('new'));
    const edge = await testEdge([{ port: old.port }, { port: next.port, state: 'standby' }]);
    const first = edge.say(get('Connection: close\r\n'));
    await once(old.server, 'request');
    edge.worker.apply(
      snapshot({
        number: 2,
        targets: [{ port: old.port, state: 'draining', drainUntil: 0 }, { port: next.port }],
      }),
    );
    expect(await edge.say(get('Connection: close\r\n'))).toContain('new');
    const inside = edge.worker.report(null, 'changes').targets;
    expect(inside).toEqual([{ pool: 'shop/production#1', target: 'i-0', inFlight: 1, tunnels: 0 }]);
    expect(edge.drained).toBe(0);
    respond?.();
    expect(await first).toContain('old');
    expect(edge.drained).toBe(1);
    const report = edge.worker.report(null, 'changes');
    expect(report.targets).toEqual([
      { pool: 'shop/production#1', target: 'i-0', inFlight: 0, tunnels: 0 },
    ]);
    expect(report.rows.reduce((sum, row) => sum + row.drained, 0)).toBe(1);
  });

  it('closes idle connections to the target', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    await edge.say(GET);
    const [idle] = app.connections;
    edge.worker.apply(snapshot({ number: 2, targets: [{ port: app.port, state: 'draining' }] }));
    if (idle) await once(idle, 'close');
    expect(app.connections.size).toBe(0);
  });
});

describe('retiring', () => {
  it('keeps an idle connection for its next request, and closes it with the answer', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write(GET);
    await client.until(/ok$/);
    const retired = edge.worker.retire(60_000);
    client.socket.write(GET);
    expect(await client.closed).toMatch(/Connection: close\r\n\r\nok$/);
    expect(await retired).toBe('drained');
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });

  it('cuts off what is not done in time, and says it is lost', async () => {
    const app = await rawOrigin(() => {});
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    client.socket.write(GET);
    await once(app.server, 'connection');
    expect(await edge.worker.retire(20)).toBe('cut-off');
    await client.closed;
    expect(edge.outcomes()).toEqual({ lost: 1 });
  });
});
