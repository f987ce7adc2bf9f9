import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { manualClock, systemClock } from '../../kernel/clock.ts';
import type { DeepReport } from '../../model/target.ts';
import { httpDeepProbe } from './deep-check.ts';

const check = { matcher: { from: 200, to: 299 }, timeoutMs: 100 };

interface App {
  port: number;
  /** Resolves with the path of the next question. */
  asked: Promise<string>;
}

async function app(answer: (response: ServerResponse) => void): Promise<App> {
  const { promise: asked, resolve } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    answer(response);
    resolve(request.url ?? '');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, asked };
}

const probe = (port: number, clock = systemClock): Promise<DeepReport> =>
  httpDeepProbe(clock)({ host: '127.0.0.1', port }, check, '/readyz', new AbortController().signal);

it('asks its own path, and reads the parts out of a failing answer', async () => {
  const { port, asked } = await app((response) => {
    response.statusCode = 503;
    response.end('{"checks":{"db":[{"status":"fail","output":"connection refused"}]}}');
  });
  expect(await probe(port)).toEqual({
    passed: false,
    description: 'db: connection refused',
    parts: [{ name: 'db', passed: false, detail: 'connection refused' }],
  });
  expect(await asked).toBe('/readyz');
});

it('passes by the status where the body says nothing', async () => {
  const { port } = await app((response) => response.end('fine'));
  expect(await probe(port)).toEqual({ passed: true, description: '', parts: [] });
});

it('does not read an answer of any length', async () => {
  const { port } = await app((response) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)));
    };
    response.on('drain', more);
    more();
  });
  expect(await probe(port)).toEqual({ passed: true, description: '', parts: [] });
});

it('gives an app five seconds, whatever routing allows it', async () => {
  const clock = manualClock();
  const { port, asked } = await app(() => {});
  const report = probe(port, clock);
  await asked;
  await clock.advance(4_999);
  expect(clock.pending()).toBe(1);
  await clock.advance(1);
  expect(await report).toEqual({
    passed: false,
    description: 'no answer to GET /readyz within 5 s',
    parts: [],
  });
});
