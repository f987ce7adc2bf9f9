import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock, systemClock } from '../../kernel/clock.ts';
import { askNumber } from './ask-number.ts';

/** Real sockets that answer with what they are told, byte by byte. */

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(
    servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
  );
});

/** @returns the URL, and when somebody has asked */
async function answering(
  answer: (socket: Socket) => void,
): Promise<{ url: string; asked: Promise<string>; requests: () => number }> {
  let requests = 0;
  let tell: (head: string) => void = () => {};
  const asked = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (head) => {
      requests += 1;
      answer(socket);
      tell(head.toString('latin1'));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/backlog?of=all`, asked, requests: () => requests };
}

const ok = (body: string) => (socket: Socket) =>
  socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

const ask = (url: string) => askNumber(url, systemClock, new AbortController().signal);

describe('a number that is asked for', () => {
  it.for([
    ['0', 0],
    ['42', 42],
    ['42\n', 42],
    ['  17.25\r\n', 17.25],
    ['1e3', 1_000],
    ['2.5E-1', 0.25],
  ] as const)('is %j', async ([body, value], { expect }) => {
    const { url, asked } = await answering(ok(body));
    expect(await ask(url)).toEqual({ kind: 'number', value });
    expect(await asked).toMatch(/^GET \/backlog\?of=all HTTP\/1\.1\r\n/);
  });

  it.for([
    '',
    ' ',
    'many',
    '-1',
    '+1',
    '-0',
    '1e999',
    'NaN',
    'Infinity',
    '0x10',
    '1_000',
    '1,000',
    '.5',
    '5.',
    '007',
    '1 2',
    '"5"',
    '[5]',
    '{"value":5}',
    'null',
    'true',
    '<html>5</html>',
    '５',
  ])('is not %j', async (body, { expect }) => {
    const { url } = await answering(ok(body));
    expect(await ask(url)).toMatchObject({ kind: 'none', why: expect.stringContaining('number') });
  });

  it.for([201, 204, 304, 404, 500, 503])(
    'is not in an answer of %i',
    async (status, { expect }) => {
      const { url } = await answering((socket) =>
        socket.end(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 1\r\n\r\n7`),
      );
      expect(await ask(url)).toEqual({ kind: 'none', why: `answered ${status}` });
    },
  );

  it('is not looked for where a redirect leads', async () => {
    const there = await answering(ok('5'));
    const { url } = await answering((socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${there.url}\r\nContent-Length: 0\r\n\r\n`),
    );
    expect(await ask(url)).toEqual({ kind: 'none', why: 'answered 302' });
    expect(there.requests()).toBe(0);
  });

  it('is not in more than a kilobyte', async () => {
    const { url } = await answering(ok(`${' '.repeat(1_024)}5`));
    expect(await ask(url)).toEqual({ kind: 'none', why: 'answered more than 1024 bytes' });
  });

  it('is not in an answer without an end', async () => {
    const { url } = await answering((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const line = `${' '.repeat(100)}\r\n`;
      for (let sent = 0; sent < 20; sent += 1) socket.write(`66\r\n${line}\r\n`);
    });
    expect(await ask(url)).toMatchObject({ kind: 'none' });
  });

  it('is not in an answer that is cut off', async () => {
    const { url } = await answering((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12'),
    );
    expect(await ask(url)).toEqual({
      kind: 'none',
      why: 'closed the connection without a whole answer',
    });
  });

  it('is not what something says that is not HTTP', async () => {
    const { url } = await answering((socket) => socket.end('5\n'));
    expect(await ask(url)).toMatchObject({ kind: 'none' });
  });

  it('is not had from a port that nobody listens on', async () => {
    const { url } = await answering(ok('5'));
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await ask(url)).toEqual({ kind: 'none', why: 'connection refused' });
  });

  it.for([
    ['says nothing', () => {}],
    ['says its head alone', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n')],
    [
      'says half of it',
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n5'),
    ],
  ] as const)('is waited for two seconds from one that %s', async ([, answer], { expect }) => {
    const clock = manualClock();
    const { url, asked } = await answering(answer);
    const answered = askNumber(url, clock, new AbortController().signal);
    await asked;
    await clock.advance(1_999);
    expect(clock.pending()).toBe(1);
    await clock.advance(1);
    expect(await answered).toEqual({ kind: 'none', why: 'no answer within 2 s' });
    expect(clock.pending()).toBe(0);
  });

  it('is given up when nobody wants it any more', async () => {
    const clock = manualClock();
    const { url, asked } = await answering(() => {});
    const leaving = new AbortController();
    const answered = askNumber(url, clock, leaving.signal);
    await asked;
    leaving.abort();
    expect(await answered).toMatchObject({ kind: 'none' });
    expect(clock.pending()).toBe(0);
  });
});
