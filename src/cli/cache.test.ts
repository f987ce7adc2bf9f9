import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noCacheCounts } from '../model/cache.ts';
import type { CachesView, CacheView, PurgeView } from '../model/cache-view.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, NOW } from './scripted-views.ts';

let daemon: ScriptedDaemon;

const cacheOf = (fields: Partial<CacheView> = {}): CacheView => ({
  application: 'shop',
  environment: 'production',
  policy: { rules: [], onDeploy: 'switch' },
  counts: noCacheCounts(),
  purges: 0,
  ...fields,
});

const cachesOf = (environments: CacheView[], fields: Partial<CachesView> = {}): CachesView => ({
  at: NOW,
  environments,
  workers: [{ pid: 7, memory: { count: 12, sizeBytes: 3_000_000 } }],
  memoryBoundBytes: 64_000_000,
  disk: { count: 1, sizeBytes: 9_000_000 },
  diskBoundBytes: 1_000_000_000,
  ...fields,
});

const purgeOf = (fields: Partial<PurgeView> = {}): PurgeView => ({
  application: 'shop',
  environment: 'production',
  purged: [{ kind: 'path', value: '/a' }],
  number: 4,
  snapshot: 31,
  workers: 2,
  tookMs: 12.3,
  ...fields,
});

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    caches: cachesOf([cacheOf()]),
    purgeCache: purgeOf(),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const asked = (route: string) => daemon.asked.find((each) => each.route === route);

describe('belay cache purge', () => {
  test('names what is purged, and says who has acknowledged it', async () => {
    daemon.script.purgeCache = purgeOf({
      purged: [
        { kind: 'path', value: '/a' },
        { kind: 'path', value: '/a?b=1' },
        { kind: 'prefix', value: '/assets/' },
        { kind: 'tag', value: 'catalog' },
      ],
    });
    const { code, out } = await belay(daemon, [
      ...['cache', 'purge', '--path', '/a', '--path', '/a?b=1', '--prefix', '/assets/'],
      ...['--tag', 'catalog', '-e', 'staging'],
    ]);
    expect(code).toBe(0);
    expect(asked('purgeCache')).toMatchObject({
      params: { application: 'shop', environment: 'staging' },
      body: {
        purges: [
          { kind: 'path', value: '/a' },
          { kind: 'path', value: '/a?b=1' },
          { kind: 'prefix', value: '/assets/' },
          { kind: 'tag', value: 'catalog' },
        ],
        by: expect.any(String),
      },
    });
    expect(out).toBe(
      [
        '✓ Purged from the cache of shop/production:',
        '  /a, with any query',
        '  /a?b=1',
        '  what begins with /assets/',
        '  what is tagged catalog',
        '  acknowledged by 2 workers in 12.3 ms, snapshot 31',
        '',
      ].join('\n'),
    );
  });

  test('takes several behind one flag, and everything', async () => {
    await belay(daemon, ['cache', 'purge', '--tag', 'a', 'b', '--everything']);
    expect(asked('purgeCache')?.body).toMatchObject({
      purges: [
        { kind: 'tag', value: 'a' },
        { kind: 'tag', value: 'b' },
        { kind: 'everything', value: '' },
      ],
    });
  });

  test('ends with 1 while the edge cannot be reached, and says that it follows', async () => {
    daemon.script.purgeCache = purgeOf({ snapshot: null, workers: 0 });
    const { code, out } = await belay(daemon, ['cache', 'purge', '--path', '/a']);
    expect(code).toBe(1);
    expect(out).toContain('On record to be purged');
    expect(out).toContain('follows when it is back');
  });
});

describe('belay cache status', () => {
  const counts = {
    hits: 800,
    stale: 40,
    collapsed: 10,
    stored: 100,
    passed: 50,
    refreshes: 20,
    savedBytes: 9_000_000,
    appBytes: 1_000_000,
  };

  test('says what the cache answers, what that saves, and what is kept', async () => {
    daemon.script.caches = cachesOf([
      cacheOf({ counts }),
      cacheOf({ environment: 'staging' }),
      cacheOf({ application: 'blog', policy: null }),
    ]);
    const { code, out } = await belay(daemon, ['cache']);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'shop/production  answers 85 % of requests, 90 % of bytes',
        '  850 of 1,000 did not reach the app: 800 fresh, 40 stale, 10 collapsed',
        '  150 did: 100 stored, 50 passed; and 20 to refresh what is kept',
        '  9.0 MB did not come from it',
        '',
        'shop/staging  nothing was asked yet',
        '',
        'memory: 3.0 MB of 64.0 MB, 12 answers',
        'disk: 9.0 MB of 1.0 GB, 1 answer',
        '',
      ].join('\n'),
    );
  });

  test('tells workers apart, and what they do not say', async () => {
    daemon.script.caches = cachesOf([cacheOf()], {
      workers: [
        { pid: 7, memory: null },
        { pid: 8, memory: { count: 0, sizeBytes: 0 } },
      ],
      disk: null,
      diskBoundBytes: 0,
    });
    const { out } = await belay(daemon, ['cache', 'status']);
    expect(out).toContain('memory of worker 7: not known');
    expect(out).toContain('memory of worker 8: 0 B of 64.0 MB, 0 answers');
    expect(out).toContain('disk: nothing is kept there');
  });

  test('gives scripts the ratios too, of what is asked for', async () => {
    daemon.script.caches = cachesOf([cacheOf({ counts }), cacheOf({ environment: 'staging' })]);
    const all = await belay(daemon, ['cache', 'status', '--json']);
    expect(all.json).toMatchObject({
      environments: [
        { counts, requests: 1_000, savedRequests: 850, hitPercent: 85, hitBytesPercent: 90 },
        { requests: 0, hitPercent: null, hitBytesPercent: null },
      ],
    });
    const one = await belay(daemon, ['cache', 'status', '-e', 'staging', '--json']);
    expect(one.json).toMatchObject({ environments: [{ environment: 'staging' }] });
  });

  test('says how to turn one on where there is none', async () => {
    daemon.script.caches = cachesOf([cacheOf({ policy: null })]);
    const { code, out } = await belay(daemon, ['cache', 'status']);
    expect(code).toBe(0);
    expect(out).toContain('The edge keeps no answers of shop/production.');
    expect(out).toContain('edge: { cache:');
  });
});
