import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { httpProber } from './prober.ts';

it.each([
  ['/', false],
  ['/missing', false],
  ['/broken', true],
  ['/cut', true],
])('asks for %s, whatever its answer', async (path, failed) => {
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push([request.method, request.url]);
    response.statusCode = path === '/missing' ? 404 : path === '/broken' ? 503 : 200;
    if (path !== '/cut') return response.end('hello');
    response.setHeader('content-length', 100);
    response.write('half', () => response.destroy());
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  const result = await httpProber(systemClock)({ host: '127.0.0.1', port }, path, signal);
  expect(result.failed).toBe(failed);
  expect(result.us).toBeGreaterThan(0);
  expect(seen).toEqual([['GET', path]]);
});

it('fails where nobody listens', async () => {
  const { signal } = new AbortController();
  const result = await httpProber(systemClock)({ host: '127.0.0.1', port: 1 }, '/', signal);
  expect(result.failed).toBe(true);
});
