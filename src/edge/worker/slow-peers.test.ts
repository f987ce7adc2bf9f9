import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ManualClock, manualClock } from '../../kernel/clock.ts';
import { httpOrigin, rawOrigin, settled, statuses, testEdge } from './edge.fixture.ts';

const BODY_BYTES = 24 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;
const body = Buffer.alloc(BODY_BYTES, 'x');
const get = (fields: string, version = '1.1') =>
  `GET / HTTP/${version}\r\nHost: a\r\n${fields}\r\n`;

/** A client that reads only when it is told to. */
function slowClient(port: number): { socket: Socket; read(atLeast: number): Promise<number> } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.pause();
  socket.on('error', () => {});
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  socket.pause();
  return {
    socket,
    async read(atLeast) {
      const until = Math.min(received + atLeast, BODY_BYTES);
      socket.resume();
      while (received < until && !socket.readableEnded && !socket.destroyed) await settled(1);
      socket.pause();
      return received;
    },
  };
}

/** Until nothing that is on its way between the sockets of this process moves any more. */
const still = () => settled(400);

async function downloadWithPauses(request: string, clock: ManualClock, pauseMs: number) {
  const app = await httpOrigin((_, response) => {
    response.setHeader('Content-Length', BODY_BYTES);
    response.end(body);
  });
  const edge = await testEdge([{ port: app.port }], { clock });
  const client = slowClient(edge.port);
  client.socket.write(request);
  let received = 0;
  for (let before = -1; received !== before; ) {
    before = received;
    received = await client.read(4 * MEGABYTE);
    await still();
    await clock.advance(pauseMs);
  }
  return { edge, received };
}

describe('a client that reads slowly', () => {
  it('gets its whole answer as long as it reads at all', async () => {
    const { edge, received } = await downloadWithPauses(get(''), manualClock(), 25_000);
    expect(received).toBeGreaterThan(BODY_BYTES);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('gets the end of its last answer, too, before the connection closes', async () => {
    const request = get('Connection: close\r\n');
    const { edge, received } = await downloadWithPauses(request, manualClock(), 25_000);
    expect(received).toBeGreaterThan(BODY_BYTES);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('is left when it reads nothing for long', async () => {
    const clock = manualClock();
    const app = await httpOrigin((_, response) => {
      response.setHeader('Content-Length', BODY_BYTES);
      response.end(body);
    });
    const edge = await testEdge([{ port: app.port }], { clock });
    const client = slowClient(edge.port);
    client.socket.write(get(''));
    await client.read(1);
    await still();
    // Once for what moved since it was blocked, once for what did not.
    await clock.advance(61_000);
    expect(edge.outcomes()).toEqual({ 'client-aborted': 1 });
  });
});

describe('an app that reads slowly', () => {
  it('gets the whole request as long as it reads at all', async () => {
    const clock = manualClock();
    let upstream: Socket | undefined;
    let taken = 0;
    const app = await rawOrigin(() => {});
    app.server.once('connection', (socket: Socket) => {
      upstream = socket;
      socket.on('data', (chunk: Buffer) => {
        taken += chunk.length;
        socket.pause();
      });
    });
    const edge = await testEdge([{ port: app.port }], { clock });
    const client = edge.connect();
    client.socket.write(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`,
    );
    client.socket.write(body);
    await once(app.server, 'connection');
    const read = async (until: number) => {
      while (taken < until) {
        upstream?.resume();
        await settled(1);
      }
      await still();
    };
    // The last of it lies in the kernel's buffers, where nobody sees it move.
    while (taken < BODY_BYTES - 12 * MEGABYTE) {
      await read(taken + 4 * MEGABYTE);
      await clock.advance(45_000);
    }
    await read(BODY_BYTES);
    upstream?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(statuses(await client.closed)).toEqual([200]);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });
});

describe('a request body that stops coming while the response is written', () => {
  const streaming = async () => {
    const clock = manualClock();
    const app = await rawOrigin((socket, bytes) => {
      if (bytes.includes('\r\n\r\n')) {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n');
      }
    });
    const edge = await testEdge([{ port: app.port }], { clock });
    const client = edge.connect();
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhi');
    await client.until(/begin\r\n$/);
    return { clock, app, edge, client };
  };

  it('does not end the response', async () => {
    const { clock, app, edge, client } = await streaming();
    await clock.advance(31_000);
    for (const socket of app.connections) socket.write('0\r\n\r\n');
    const received = await client.until(/0\r\n\r\n$/);
    expect(statuses(received)).toEqual([200]);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('is what a response that then stops, too, is put down to', async () => {
    const { clock, edge, client } = await streaming();
    await clock.advance(601_000);
    await client.closed;
    expect(edge.outcomes()).toEqual({ 'client-aborted': 1 });
  });
});
