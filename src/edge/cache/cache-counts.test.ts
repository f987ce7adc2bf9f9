import { expect, test } from 'vitest';
import { type CacheCounts, noCacheCounts, type RoutedCache } from '../../model/cache.ts';
import { httpOrigin, type TestEdge, testEdge } from '../worker/edge.fixture.ts';

/** What a worker counts of its cache, told with its report. */

const cache: RoutedCache = { rules: [], release: null, purgedUpTo: 0, purges: [] };

const request = (path: string, method = 'GET', more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n${more}\r\n`;

const countsOf = ({ worker }: TestEdge): Partial<CacheCounts> =>
  worker.report(null, 'everything').cache?.['shop/production'] ?? {};

const counts = (fields: Partial<CacheCounts>): CacheCounts => ({ ...noCacheCounts(), ...fields });

test('counts what was kept, found and passed, and the bytes of each', async () => {
  const origin = await httpOrigin(({ url, method }, response) => {
    if (url === '/kept') response.setHeader('Cache-Control', 'max-age=60');
    response.end(method === 'HEAD' ? '' : 'twelve bytes');
  });
  const edge = await testEdge([{ port: origin.port }], { rule: { cache } });
  await edge.say(request('/kept'));
  expect(countsOf(edge)).toEqual(counts({ stored: 1, appBytes: 12 }));
  for (let times = 0; times < 3; times += 1) await edge.say(request('/kept'));
  await edge.say(request('/kept', 'GET', 'Range: bytes=0-4\r\n'));
  expect(countsOf(edge)).toEqual(counts({ stored: 1, appBytes: 12, hits: 4, savedBytes: 41 }));
  await edge.say(request('/other'));
  await edge.say(request('/other', 'POST', 'Content-Length: 0\r\n'));
  await edge.say(request('/other', 'HEAD'));
  const all = { stored: 1, hits: 4, savedBytes: 41, passed: 3, appBytes: 36 };
  expect(countsOf(edge)).toEqual(counts(all));
});

test('counts who waited for another as collapsed', async () => {
  const waiting: (() => void)[] = [];
  const origin = await httpOrigin((_, response) => {
    response.setHeader('Cache-Control', 'max-age=60');
    waiting.push(() => response.end('twelve bytes'));
  });
  const edge = await testEdge([{ port: origin.port }], { rule: { cache } });
  const clients = [edge.say(request('/a')), edge.say(request('/a')), edge.say(request('/a'))];
  await expect.poll(() => edge.worker.report(null, 'everything').accepted).toBe(3);
  await expect.poll(() => waiting.length).toBe(1);
  waiting[0]?.();
  await Promise.all(clients);
  const all = { stored: 1, collapsed: 2, savedBytes: 24, appBytes: 12 };
  expect(countsOf(edge)).toEqual(counts(all));
  expect(edge.outcomes()).toEqual({ ok: 1, cached: 2 });
});

test('counts what the app has confirmed as its answer, and its body as saved', async () => {
  const origin = await httpOrigin(({ headers }, response) => {
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('ETag', '"1"');
    if (headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.end('twelve bytes');
  });
  const edge = await testEdge([{ port: origin.port }], { rule: { cache } });
  for (let times = 0; times < 3; times += 1) await edge.say(request('/a'));
  expect(countsOf(edge)).toEqual(counts({ stored: 3, savedBytes: 24, appBytes: 12 }));
});

test('counts what it asks by itself beside what clients ask', async () => {
  let asked = 0;
  const origin = await httpOrigin((_, response) => {
    asked += 1;
    response.setHeader('Cache-Control', 'max-age=0, stale-while-revalidate=60');
    response.end('twelve bytes');
  });
  const edge = await testEdge([{ port: origin.port }], { rule: { cache } });
  await edge.say(request('/a'));
  await edge.say(request('/a'));
  await expect.poll(() => countsOf(edge).appBytes).toBe(24);
  const all = { stored: 1, stale: 1, refreshes: 1, savedBytes: 12, appBytes: 24 };
  expect([asked, countsOf(edge)]).toEqual([2, counts(all)]);
  expect(edge.outcomes()).toEqual({ ok: 1, cached: 1 });
});

test('leaves what the cache answered out of the latencies of instances', async () => {
  const origin = await httpOrigin((_, response) => {
    response.setHeader('Cache-Control', 'max-age=60');
    response.end('twelve bytes');
  });
  const edge = await testEdge([{ port: origin.port }], { rule: { cache } });
  for (let times = 0; times < 5; times += 1) await edge.say(request('/a'));
  const { rows, cacheMemory } = edge.worker.report(null, 'everything');
  const recorded = rows.flatMap(({ latency }) => latency.filter((_, index) => index % 2 === 1));
  expect(recorded).toEqual([1]);
  expect(edge.outcomes()).toEqual({ ok: 1, cached: 4 });
  expect(cacheMemory?.count).toBe(1);
});
