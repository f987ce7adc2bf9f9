import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CachePolicy, HONOUR_THE_APP, noCacheCounts } from '../model/cache.ts';
import type { CachesView } from '../model/cache-view.ts';
import { readCacheStatus } from './cache-report.ts';
import { verdictOf } from './cache-verdict.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf, NOW } from './scripted-views.ts';

const policy: CachePolicy = {
  rules: [
    {
      ...HONOUR_THE_APP,
      path: '/list*',
      otherwiseS: 60,
      query: { mode: 'only', names: ['page'] },
      headers: ['accept-language'],
      cookies: ['currency'],
    },
    { ...HONOUR_THE_APP, path: '/list/old', bypass: true },
    { ...HONOUR_THE_APP, path: '/api/*', bypass: true },
  ],
  onDeploy: 'switch',
};

const cachesOf = (fields: Partial<CachesView> = {}): CachesView => ({
  at: NOW,
  environments: ['production', 'staging'].map((environment) => ({
    ...{ application: 'shop', environment, counts: noCacheCounts(), purges: 0 },
    policy: environment === 'production' ? policy : null,
  })),
  workers: [{ pid: 7, memory: null }],
  memoryBoundBytes: 1,
  disk: null,
  diskBoundBytes: 1,
  ...fields,
});

const STORED = 'belay; fwd=uri-miss; fwd-status=200; stored';
/** What the edge answers, by path; all else is stored. */
const statuses: Readonly<Record<string, string>> = {
  '/hit': 'belay; hit; ttl=48',
  '/private': 'belay; fwd=uri-miss; fwd-status=200; detail=private',
  '/two': 'belay; fwd=uri-miss; stored, belay; hit; ttl=5',
  '/down': 'belay; fwd=uri-miss',
  '/none': '',
};

let edge: Server;
let asked: { method: string; url: string; headers: IncomingMessage['headers'] }[];
let daemon: ScriptedDaemon;

beforeEach(async () => {
  asked = [];
  edge = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers });
    const status = statuses[url.split('?')[0] ?? ''];
    response.writeHead(url === '/down' ? 503 : 200, {
      'cache-status': status ?? (method === 'HEAD' ? 'belay; hit; ttl=60' : STORED),
      ...(url === '/hit' && { age: '12', vary: 'accept-encoding' }),
      ...(status === '' && { 'x-none': '1' }),
    });
    response.end('four');
  });
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve));
  daemon = scriptedDaemon({
    environments: {
      environments: [
        environmentOf(),
        environmentOf({
          environment: 'staging',
          url: 'http://staging.shop.localhost:8080/',
          domains: ['*.shop.localhost'],
        }),
      ],
    },
    caches: cachesOf(),
    daemon: daemonOf((edge.address() as AddressInfo).port),
  });
  await daemon.start();
});
afterEach(async () => {
  await daemon.close();
  await new Promise((resolve) => edge.close(resolve));
});

describe('belay cache explain', () => {
  test('shows rule, key and decision of a path, which it asks for as a browser does', async () => {
    const argv = ['cache', 'explain', '/list/old?page=2&utm=1'];
    const { code, out } = await belay(daemon, [
      ...argv,
      ...['-H', 'Accept-Language: fr', '-H', 'Cookie: a=1; currency=eur'],
    ]);
    expect(code).toBe(0);
    expect(asked).toMatchObject([
      {
        method: 'GET',
        url: '/list/old?page=2&utm=1',
        headers: {
          host: 'shop.localhost:8080',
          'accept-language': 'fr',
          'accept-encoding': 'gzip, deflate, br, zstd',
        },
      },
      { method: 'HEAD' },
    ]);
    expect(out.replace(/in [\d.]+ ms/, 'in 1 ms')).toBe(
      [
        'http://shop.localhost:8080/list/old?page=2&utm=1  shop/production',
        '  rule    1 of 3, /list*: the first that matches; /list/old would match too, and comes later',
        '          1m where the app says nothing, at most 365d, 1d stale if the app fails',
        '  key     shop.localhost:8080/list/old?page=2; field accept-language: fr; cookie currency=eur; of this version; without utm=1',
        '  answer  200, 4 B in 1 ms',
        '          cache-status: belay; fwd=uri-miss; fwd-status=200; stored',
        '✓ stored: nothing was kept for this key, so the app was asked, and its answer is kept for 1 m 0 s',
        '',
      ].join('\n'),
    );
  });

  test('tells scripts the same, and what to do where nothing is kept', async () => {
    const { json } = await belay(daemon, ['cache', 'explain', '/private', '--json']);
    expect(json).toMatchObject({
      application: 'shop',
      environment: 'production',
      rule: { number: null, of: 3, alsoMatching: [] },
      key: { host: 'shop.localhost:8080', target: '/private', byVersion: true },
      answer: { status: 200, ageS: null, bodyBytes: 4 },
      decision: 'passed',
      why: expect.stringContaining('private'),
      next: expect.stringContaining('Cache-Control: public'),
    });
  });

  test('goes by what the nearest cache says, and by the age', async () => {
    const hit = await belay(daemon, ['cache', 'explain', '/hit']);
    expect(hit.out).toContain(
      '✓ hit: answered from what is kept, 12 s old, fresh for another 48 s',
    );
    expect(hit.out).toContain('vary: accept-encoding');
    const two = await belay(daemon, ['cache', 'explain', '/two', '--json']);
    expect(two.json).toMatchObject({ decision: 'hit' });
  });

  test('says when nobody has answered', async () => {
    const down = await belay(daemon, ['cache', 'explain', '/down', '--json']);
    expect(down.json).toMatchObject({
      decision: 'failed',
      next: expect.stringContaining('status'),
    });
    const none = await belay(daemon, ['cache', 'explain', '/none', '--json']);
    expect(none.json).toMatchObject({ decision: 'failed', why: expect.stringContaining('200') });
  });

  test('finds the environment by the name, the most specific first', async () => {
    const { json } = await belay(daemon, ['cache', 'explain', 'http://shop.localhost/a', '--json']);
    expect(json).toMatchObject({ environment: 'production', key: { host: 'shop.localhost' } });
    const other = await belay(daemon, ['cache', 'explain', 'http://b.shop.localhost/', '--json']);
    expect(other).toMatchObject({ code: 1, json: { error: { code: 'no-cache' } } });
    const nobody = await belay(daemon, ['cache', 'explain', 'https://x.test/', '--json']);
    expect(nobody).toMatchObject({ code: 64, json: { error: { code: 'unknown-host' } } });
  });

  test.each([
    ['shop.localhost/a', 'bad-address', 'http://shop.localhost/a'],
    ['ftp://shop.localhost/a', 'bad-address', '/a'],
    ['', 'bad-address', '/a'],
  ])('refuses what is no address: %j', async (text, code, hint) => {
    const { json } = await belay(daemon, ['cache', 'explain', text, '--json']);
    expect(json).toMatchObject({ error: { code, hint: expect.stringContaining(hint) } });
    expect(asked).toEqual([]);
  });

  test('refuses what is no field', async () => {
    const { code, err } = await belay(daemon, ['cache', 'explain', '/a', '-H', 'oops']);
    expect(code).toBe(64);
    expect(err).toContain("--header is 'oops', which is no field");
  });
});

describe('belay cache warm', () => {
  const list = (name: string, content: string) => {
    const directory = daemon.home.root;
    writeFileSync(join(directory, name), content);
    return directory;
  };

  test('asks for what is listed once, and says what is kept and what is not, and why', async () => {
    daemon.script.caches = cachesOf({
      workers: [
        { pid: 7, memory: null },
        { pid: 8, memory: null },
      ],
    });
    const directory = list('urls.txt', '# pages\n/a\n\n /b \n/a\nhttp://shop.localhost:8080/hit\n');
    const { code, out } = await belay(
      daemon,
      ['cache', 'warm', 'urls.txt', '/private', '--concurrency', '2'],
      { directory },
    );
    expect(code).toBe(0);
    expect(asked.map(({ url }) => url).sort()).toEqual(['/a', '/b', '/hit', '/private']);
    expect(out.replace(/in [\d.]+ s/, 'in 1 s')).toBe(
      [
        '✓ Asked for 4 URLs in 1 s: 2 stored, 1 there already, 1 not kept',
        '  1: the app says private: it is for one person alone',
        '    http://shop.localhost:8080/private',
        '  each of the 2 workers has a memory of its own, and one has answered each: the others find it on the disk they share',
        '',
      ].join('\n'),
    );
  });

  test('reads sitemaps, and stdin', async () => {
    const sitemap = [
      '<?xml version="1.0"?><urlset>',
      '<url><loc> http://shop.localhost:8080/list?page=2&amp;by=x </loc></url>',
      '<url><loc>http://shop.localhost:8080/b</loc></url></urlset>',
    ].join('\n');
    const { json } = await belay(daemon, ['cache', 'warm', '-', '--json'], { input: sitemap });
    expect(asked.map(({ url }) => url).sort()).toEqual(['/b', '/list?page=2&by=x']);
    expect(json).toMatchObject({ stored: 2, present: 0, notKept: 0, failed: 0, workers: 1 });
  });

  test('asks for nothing when something listed is wrong', async () => {
    const directory = list('urls.txt', '/a\nb\n');
    const bad = await belay(daemon, ['cache', 'warm', 'urls.txt'], { directory });
    expect(bad.code).toBe(64);
    expect(bad.err).toContain("Line 2 of urls.txt: 'b' is no address");
    const nothing = await belay(daemon, ['cache', 'warm', '-'], { input: '# none\n' });
    expect(nothing.err).toContain('There is no address in -');
    const index = '<sitemapindex><sitemap><loc>http://x/</loc></sitemap></sitemapindex>';
    const nested = await belay(daemon, ['cache', 'warm', '-'], { input: index });
    expect(nested.err).toContain('an index of sitemaps');
    const missing = await belay(daemon, ['cache', 'warm', 'none.txt'], { directory });
    expect(missing.err).toContain('there is no such file');
    expect(asked).toEqual([]);
  });

  test('ends with 1 when the app fails', async () => {
    const { code, out } = await belay(daemon, ['cache', 'warm', '/a', '/down']);
    expect(code).toBe(1);
    expect(out).toContain('1 failed');
    expect(out).toContain('the app did not answer, and the edge said 503');
  });

  test('says so when there is no edge', async () => {
    daemon.script.daemon = { ...daemonOf(), edge: null };
    const { err } = await belay(daemon, ['cache', 'warm', '/a']);
    expect(err).toContain('The edge cannot be reached');
  });
});

describe('what a cache says', () => {
  test('is read with quoted names and words', () => {
    expect(
      readCacheStatus(
        '"far, away"; fwd=stale; fwd-status=503; detail="a; \\"b\\"", belay; hit; ttl=-4',
      ),
    ).toEqual([
      {
        cache: 'far, away',
        forwarded: 'stale',
        forwardedStatus: 503,
        ttlS: null,
        stored: false,
        collapsed: false,
        detail: 'a; "b"',
      },
      {
        ...{ cache: 'belay', forwarded: null, forwardedStatus: null, ttlS: -4 },
        ...{ stored: false, collapsed: false, detail: '' },
      },
    ]);
    expect(readCacheStatus(undefined)).toEqual([]);
  });

  test.each([
    ['belay; hit; ttl=-5; detail=revalidating', 'stale', 'being asked again'],
    ['belay; hit; ttl=-5; detail=no-target', 'stale', 'no instance'],
    ['belay; fwd=stale; fwd-status=500; detail=error', 'stale', 'the app answered 500'],
    ['belay; fwd=stale; detail=error', 'stale', 'the app failed'],
    ['belay; fwd=stale; fwd-status=304; stored', 'stored', 'had become stale'],
    ['belay; fwd=uri-miss; fwd-status=200; stored; collapsed', 'stored', 'somebody else'],
    ['belay; fwd=uri-miss; fwd-status=201; detail=status', 'passed', 'answers of 201'],
    ['belay; fwd=method; fwd-status=200', 'passed', 'GET and HEAD'],
    ['belay; fwd=uri-miss; fwd-status=200', 'passed', 'not kept a moment ago'],
    ['belay; fwd=uri-miss; fwd-status=200; detail=new-word', 'passed', 'the edge says: new-word'],
  ])('is put into words: %s', (field, decision, words) => {
    const report = readCacheStatus(field).at(-1) ?? null;
    const verdict = verdictOf(report, { status: 200, fields: { age: '9' } });
    expect(verdict.decision).toBe(decision);
    expect(verdict.why).toContain(words);
  });
});
