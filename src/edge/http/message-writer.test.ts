import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MessageWriter } from './message-writer.ts';

/** Two ends of a real connection. */
async function connection(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const near = connect({ port, host: '127.0.0.1' });
  const [far] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

async function allFrom(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** Sizes around those at which the writer does otherwise. */
const SIZES = [1, 4_095, 4_096, 4_097, 65_536, 81_000, 81_920, 82_000, 300_000];
/** A buffer that is filled anew for each piece, as what is read into is. */
const shared = Buffer.alloc(Math.max(...SIZES));

describe('a message writer', () => {
  it.each([false, true])('sends pieces of any size as they are, chunked: %s', async (chunked) => {
    const { near, far } = await connection();
    const received = allFrom(far);
    const writer = new MessageWriter(near);
    const expected: Buffer[] = [];
    // All at once: the kernel does not take it all, so buffers are still in use behind a write.
    for (let round = 0; round < 8; round += 1) {
      writer.begin(`head ${round}\r\n\r\n`, chunked);
      expected.push(Buffer.from(`head ${round}\r\n\r\n`));
      for (const [i, size] of SIZES.entries()) {
        shared.fill(round * SIZES.length + i);
        writer.data(shared, 0, size);
        const piece = Buffer.from(shared.subarray(0, size));
        if (!chunked) expected.push(piece);
        else expected.push(Buffer.from(`${size.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
      }
      writer.end('X-Sum: 1\r\n');
      if (chunked) expected.push(Buffer.from('0\r\nX-Sum: 1\r\n\r\n'));
      writer.flush();
    }
    near.end();
    expect((await received).equals(Buffer.concat(expected))).toBe(true);
  });

  it('takes back what it has not sent, and nothing else', async () => {
    const { near, far } = await connection();
    const received = allFrom(far);
    const writer = new MessageWriter(near);
    writer.begin('one', false);
    expect(writer.started).toBe(false);
    writer.discard();
    writer.begin('two', false);
    writer.flush();
    expect(writer.started).toBe(true);
    writer.discard();
    near.end();
    expect((await received).toString()).toBe('two');
  });

  it('tells a reader that takes something, however little, from one that takes nothing', async () => {
    const { near, far } = await connection();
    far.pause();
    const writer = new MessageWriter(near);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    // Until the kernels of both ends are full.
    while (near.writableLength === 0) {
      writer.data(shared, 0, shared.length);
      for (let turns = 0; turns < 5; turns += 1) await turn();
    }
    while (writer.progressed()) await turn();
    expect([writer.progressed(), writer.blocked]).toEqual([false, true]);
    far.resume();
    while (!writer.progressed()) await turn();
    near.destroy();
  });
});
