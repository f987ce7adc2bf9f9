import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { noCacheCounts } from '../../src/model/cache.ts';
import type { PurgeRequest } from '../../src/model/cache-view.ts';
import { APPLICATION } from './support/app.ts';
import { House, where } from './support/house.ts';
import { until } from './support/until.ts';

/**
 * Two workers answer from what they keep, and clients ask without a pause. What the app would answer
 * changes, a purge is asked for, and from the moment it returns no client that asks gets what was
 * before, from either worker, from the disk, or from a request that was on its way to the app.
 */

const ROUNDS = process.env.BELAY_NIGHTLY ? 40 : 1;
const CLIENTS = 8;
/** So that there is always a request inside the app when a purge is asked for. */
const APP_TAKES_MS = 30;
const KINDS: readonly PurgeRequest[] = [
  { kind: 'path', value: '/pages/1' },
  { kind: 'path', value: '/list?page=2' },
  { kind: 'prefix', value: '/assets/' },
  { kind: 'tag', value: 'catalog' },
  { kind: 'tag', value: 'ruled' },
  { kind: 'everything', value: '' },
];
const TARGETS = [
  ...['/pages/1', '/pages/1?by=name', '/pages/2', '/list?page=1', '/list?page=2'],
  ...['/assets/a.js', '/assets/b.css?v=2', '/catalog/1', '/catalog/2', '/ruled/x'],
];

/** Which of them a purge is of. */
function concerned({ kind, value }: PurgeRequest): string[] {
  if (kind === 'everything') return TARGETS;
  if (kind === 'prefix') return TARGETS.filter((target) => target.startsWith(value));
  if (kind === 'tag') return TARGETS.filter((target) => target.startsWith(`/${value}/`));
  return TARGETS.filter(
    (target) => (value.includes('?') ? target : target.split('?')[0]) === value,
  );
}

const house = new House();
let app: Server;
let port: number;
let someFailed = true;
/** What the app answers; it is read when a request comes, and answered some time later. */
let edition = 1;
let askedOfApp: string[] = [];
/** By target, nobody may get less. */
const least = new Map(TARGETS.map((target) => [target, 1]));
let wrong: string[] = [];
let answered = 0;
let isOver = false;

beforeAll(async () => {
  app = createServer((request, response) => {
    const target = request.url ?? '';
    const answer = String(edition);
    if (target !== '/healthz') askedOfApp.push(target);
    void systemClock.sleep(target === '/healthz' ? 0 : APP_TAKES_MS).then(() => {
      const tag = target.startsWith('/catalog/') ? { 'cache-tag': 'other, catalog' } : {};
      response.writeHead(200, { 'cache-control': 'max-age=3600', ...tag }).end(answer);
    });
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  await house.start();
  const up = await house.belay(['up', inFront()]);
  expect(up.code, up.stderr).toBe(0);
  port = await house.port();
  const { settings } = await house.client.call('edgeSettings');
  await house.client.call('setEdgeSettings', { body: { ...settings, workers: 2 } });
  await twoWorkers();
  someFailed = false;
});

afterEach(({ task }) => {
  isOver = true;
  wrong = [];
  someFailed ||= task.result?.state === 'fail';
});

afterAll(async () => {
  await house.close(someFailed);
  await new Promise((resolve) => app.close(resolve));
});

/** Writes a directory whose application is the server of this test. */
function inFront(): string {
  const directory = house.file('in-front');
  mkdirSync(directory, { recursive: true });
  const { port: appPort } = app.address() as AddressInfo;
  const configuration = {
    web: { upstream: `http://127.0.0.1:${appPort}`, health: { path: '/healthz' } },
    edge: {
      domains: ['*'],
      cache: { '/ruled/*': { ttl: '1h', tags: ['ruled'] }, '/list': { key: { query: ['page'] } } },
    },
  };
  writeFileSync(
    join(directory, 'belay.config.ts'),
    `import { app } from 'belay';\n\nexport default app('${APPLICATION}', ${JSON.stringify(configuration)});\n`,
  );
  return directory;
}

async function twoWorkers(): Promise<number[]> {
  const accepting = async () => {
    const { edge } = await house.client.call('daemon');
    return (edge?.workers ?? []).filter((each) => each.accepting).map(({ pid }) => pid);
  };
  return await until('two workers accept', accepting, (pids) => pids.length === 2);
}

/** On a connection of its own, so that either worker may get it. */
function ask(target: string): Promise<{ body: string; cacheStatus: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: target, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
      });
      response.on('error', reject);
      const cacheStatus = String(response.headers['cache-status']);
      response.on('end', () => resolve({ body, cacheStatus }));
    }).on('error', reject);
  });
}

/** Asks, and notes what it should not have got. */
async function check(target: string): Promise<string> {
  const expected = least.get(target) ?? 0;
  const { body, cacheStatus } = await ask(target);
  answered += 1;
  if (!(Number(body) >= expected)) wrong.push(`${target}: ${body} < ${expected} (${cacheStatus})`);
  return cacheStatus;
}

/** Asks for one after the other, in an order of its own, until the test is over. */
async function client(number: number): Promise<void> {
  for (let count = number * 3; !isOver; count += 1) {
    await check(TARGETS[(count * (number + 1)) % TARGETS.length] ?? '');
  }
}

async function warm(): Promise<void> {
  for (let round = 0; round < 6; round += 1) await Promise.all(TARGETS.map(check));
}

describe('after a purge', () => {
  test('nobody gets what was before it, whatever is on its way', { timeout: 600_000 }, async () => {
    isOver = false;
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
    const tookMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const purge of KINDS) {
        await warm();
        // What is on its way to the app when it changes answers with what was before.
        await house.client.call('purgeCache', { params: where, body: { purges: [purge] } });
        await systemClock.sleep(APP_TAKES_MS / 2);
        edition += 1;
        const view = await house.client.call('purgeCache', {
          params: where,
          body: { purges: [purge] },
        });
        for (const target of concerned(purge)) least.set(target, edition);
        expect(view).toMatchObject({ workers: 2, snapshot: expect.any(Number) });
        tookMs.push(view.tookMs);
      }
    }
    await warm();
    isOver = true;
    await Promise.all(clients);
    expect(wrong).toEqual([]);
    const slowest = Math.max(...tookMs);
    console.log(`${answered} answers, ${2 * tookMs.length} purges, the slowest ${slowest} ms`);
  });

  test('the rest stays, and the command says who has acknowledged it', async () => {
    await warm();
    askedOfApp = [];
    edition += 1;
    const argv = ['cache', 'purge', '--tag', 'catalog', '-a', APPLICATION];
    const { code, stdout, stderr } = await house.belay(argv);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/acknowledged by 2 workers in [\d.]+ m?s/);
    for (const target of ['/catalog/1', '/catalog/2']) least.set(target, edition);
    await warm();
    expect(wrong).toEqual([]);
    expect([...new Set(askedOfApp)].sort()).toEqual(['/catalog/1', '/catalog/2']);
  });

  test('a worker that starts anew, with an empty memory and a full disk, knows of it', async () => {
    await warm();
    edition += 1;
    const purges = [{ kind: 'prefix' as const, value: '/assets/' }];
    await house.client.call('purgeCache', { params: where, body: { purges } });
    for (const target of TARGETS.filter((each) => each.startsWith('/assets/'))) {
      least.set(target, edition);
    }
    for (const pid of await twoWorkers()) process.kill(pid, 'SIGKILL');
    await until('two others accept', twoWorkers, () => true);
    await until(
      'they answer',
      () => warm().then(() => true),
      (ok) => ok,
    );
    expect(wrong).toEqual([]);
  });

  test('that was on record when the daemon was killed, it is in force in its next life', async () => {
    await warm();
    await house.killDaemon();
    await house.start(1);
    edition += 1;
    const body = { purges: [{ kind: 'everything' as const, value: '' }] };
    await expect(house.client.call('purgeCache', { params: where, body })).rejects.toThrow();
    await house.daemonEnded();
    expect(Number((await ask('/pages/2')).body)).toBeLessThan(edition);
    await house.start();
    const edited = async () => (await Promise.all(TARGETS.map(ask))).map(({ body: got }) => got);
    const all = (seen: string[]) => seen.every((got) => Number(got) === edition);
    await until('nobody has what was before', edited, all);
    for (const target of TARGETS) least.set(target, edition);
    await warm();
    expect(wrong).toEqual([]);
    const { events } = await house.client.call('events', { query: {} });
    expect(events.filter(({ type }) => type === 'cache-purged').at(-1)?.message).toContain(
      'everything',
    );
  });

  test('the account has what the cache did, over all workers there were', async () => {
    const { environments, workers } = await house.client.call('caches');
    const [{ counts, purges } = { counts: noCacheCounts(), purges: 0 }] = environments;
    expect(counts.hits).toBeGreaterThan(answered / 2);
    expect(counts.stored).toBeGreaterThan(TARGETS.length);
    expect(counts.savedBytes).toBeGreaterThanOrEqual(counts.hits);
    expect(purges).toBeGreaterThan(2 * ROUNDS * KINDS.length);
    expect(workers).toHaveLength(2);
    for (const { memory } of workers) expect(memory?.sizeBytes).toBeGreaterThan(0);
  });
});
