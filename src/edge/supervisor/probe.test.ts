import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import type { HealthCheck } from '../../model/configuration.ts';
import type { CheckResult } from './health.ts';
import { httpProbe } from './probe.ts';

const check = {
  path: '/healthz',
  matcher: { from: 200, to: 299 },
  intervalMs: 100,
  timeoutMs: 200,
  healthyThreshold: 1,
  unhealthyThreshold: 1,
  body: null,
  deepPath: null,
};

let server: Server | null = null;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
  server = null;
});

/** Asks an app that does with the request what it is told. */
async function ask(
  answer: (socket: Socket) => void,
  changes: Partial<HealthCheck> = {},
): Promise<CheckResult> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  return httpProbe(systemClock)({ host: '127.0.0.1', port }, { ...check, ...changes }, signal);
}

const head = (contentLength: number, status = 200) =>
  `HTTP/1.1 ${status} X\r\ncontent-length: ${contentLength}\r\n\r\n`;

const failed = (reason: string, description: string) => ({ passed: false, reason, description });

it('asks the server itself where the path is *', async () => {
  let asked = '';
  server = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      asked = bytes.toString('latin1');
      socket.end(head(0, 404));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  const target = { host: '127.0.0.1', port };
  const result = await httpProbe(systemClock)(target, { ...check, path: '*' }, signal);
  expect(asked).toMatch(/^OPTIONS \* HTTP\/1\.1\r\n/);
  expect(result).toEqual(failed('Target.ResponseCodeMismatch', 'answered 404 to OPTIONS *'));
});

it.each([
  [200, { passed: true }],
  [299, { passed: true }],
  [302, failed('Target.ResponseCodeMismatch', 'answered 302 to GET /healthz')],
  [500, failed('Target.ResponseCodeMismatch', 'answered 500 to GET /healthz')],
])('judges an answer of %i', async (status, result) => {
  expect(
    await ask((socket) => socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: 0\r\n\r\n`)),
  ).toEqual(result);
});

it('takes the status for the answer, without waiting for the body', async () => {
  expect(
    await ask((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n')),
  ).toEqual({
    passed: true,
  });
});

it('fails an app that does not answer in time', async () => {
  expect(await ask(() => {})).toEqual(
    failed('Target.Timeout', 'no answer to GET /healthz within 0.2 s'),
  );
});

it('fails an app that hangs up', async () => {
  expect(await ask((socket) => socket.destroy())).toEqual(
    failed('Target.FailedHealthChecks', 'closed the connection without an answer to GET /healthz'),
  );
});

it('fails an app that does not speak HTTP', async () => {
  expect(await ask((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))).toEqual(
    failed('Target.FailedHealthChecks', 'answered GET /healthz with something that is not HTTP'),
  );
});

it('says when nobody listens', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const signal = new AbortController().signal;
  expect(await httpProbe(systemClock)({ host: '127.0.0.1', port }, check, signal)).toEqual(
    failed('Target.FailedHealthChecks', 'connection refused'),
  );
});

const wanted = { body: 'all is well' };

it('passes an answer that holds the text it must', async () => {
  expect(await ask((socket) => socket.end(`${head(16)}oh, all is well!`), wanted)).toEqual({
    passed: true,
  });
});

it('finds a text that comes in pieces, without waiting for the end', async () => {
  const inPieces = (socket: Socket) => {
    socket.write(`${head(1_000)}so all i`);
    setImmediate(() => socket.write('s well, and more to come'));
  };
  expect(await ask(inPieces, wanted)).toEqual({ passed: true });
});

it('fails an answer without the text, whatever its status', async () => {
  expect(await ask((socket) => socket.end(`${head(4)}oops`), wanted)).toEqual(
    failed(
      'Target.ResponseCodeMismatch',
      "answered 200 to GET /healthz without 'all is well' in it",
    ),
  );
  expect(await ask((socket) => socket.end(`${head(11, 500)}all is well`), wanted)).toEqual(
    failed('Target.ResponseCodeMismatch', 'answered 500 to GET /healthz'),
  );
});

it('looks no further than the first 64 KB', async () => {
  const long = (padding: number) => (socket: Socket) =>
    socket.end(`${head(padding + 11)}${'x'.repeat(padding)}all is well`);
  expect(await ask(long(64 * 1024 - 11), wanted)).toEqual({ passed: true });
  expect(await ask(long(64 * 1024 - 10), wanted)).toMatchObject({ passed: false });
});

it('fails an answer that stops before the text has come', async () => {
  expect(await ask((socket) => socket.write(`${head(100)}all is`), wanted)).toEqual(
    failed('Target.Timeout', 'did not finish its answer to GET /healthz within 0.2 s'),
  );
  expect(await ask((socket) => socket.end(`${head(100)}all is`), wanted)).toEqual(
    failed(
      'Target.FailedHealthChecks',
      'closed the connection before the end of its answer to GET /healthz',
    ),
  );
});
