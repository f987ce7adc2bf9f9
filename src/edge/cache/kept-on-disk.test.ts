import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import type { SnapshotInput } from '../../model/snapshot.ts';
import { httpOrigin, type TestEdge, testEdge } from '../worker/edge.fixture.ts';
import { DirectoryStore } from './disk/directory-store.ts';
import type { DiskResponse, DiskStore } from './disk/disk-store.ts';
import { keptFiles, MB, SOON, scratch } from './disk/scratch-store.fixture.ts';

/** What one worker has written and the next finds, and what happens meanwhile. */

const cache = { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] };

interface House {
  /** A worker whose memory is empty, before the same disk. @param look what it finds there instead */
  worker(look?: Look, rule?: Partial<SnapshotInput['rules'][number]>): Promise<TestEdge>;
  /** Resolves when so many files are there. */
  written(count: number): Promise<void>;
}

type Look = (found: DiskResponse | null) => Promise<DiskResponse | null>;

/** An app that tells its version and what it was asked for, and has a new one after every POST. */
async function house(fields: Readonly<Record<string, string>> = {}): Promise<House> {
  const place = scratch();
  onTestFinished(() => place.remove());
  let version = 1;
  const app = await httpOrigin(({ method, url, headers }, response) => {
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    if (method === 'POST') version += 1;
    response.setHeader('Cache-Control', 'max-age=60');
    if (url === '/large') largeAnswer(headers, response);
    else response.end(`version ${version} ${headers['x-language'] ?? ''}`);
  });
  return {
    async worker(look = async (found) => found, rule = {}) {
      const { directory } = place;
      const options = { directory, boundBytes: 64 * MB, clock: systemClock, onTrouble() {} };
      const store = new DirectoryStore(options);
      await store.start();
      const open: DiskStore['open'] = async (key) => look(await store.open(key));
      const cacheDisk: DiskStore = new Proxy(store, {
        get(target, name) {
          if (name === 'open') return open;
          const value = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return testEdge([{ port: app.port }], {
        rule: { cache, ...rule },
        settings: { cacheMemoryBytes: MB },
        cacheDisk,
      });
    },
    written: (count) => expect.poll(() => keptFiles(place.directory), SOON).toHaveLength(count),
  };
}

/** More than memory takes of one, to be asked about each time. */
function largeAnswer(asked: IncomingHttpHeaders, response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-cache').setHeader('ETag', '"large"');
  if (asked['if-none-match'] === '"large"') response.writeHead(304).end();
  else response.end('a'.repeat(200_000));
}

const ask = (edge: TestEdge, method: string, fields = '', path = '/'): Promise<string> =>
  edge.say(
    `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${fields}Connection: close\r\n\r\n`,
  );

test('what is looked for while something changes is not brought back', async () => {
  const { worker, written } = await house();
  await ask(await worker(), 'GET');
  await written(1);
  const looked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const edge = await worker(async (found) => {
    looked.resolve();
    await goOn.promise;
    return found;
  });
  const before = ask(edge, 'GET');
  await looked.promise;
  await ask(edge, 'POST');
  goOn.resolve();
  await before;
  expect(await ask(edge, 'GET')).toContain('version 2');
});

test('no variant outlasts a change, whichever is asked for again first', async () => {
  const { worker, written } = await house({ Vary: 'X-Language' });
  const first = await worker();
  for (const language of ['de', 'fr']) await ask(first, 'GET', `X-Language: ${language}\r\n`);
  await written(3);
  const edge = await worker();
  expect(await ask(edge, 'GET', 'X-Language: de\r\n')).toContain('version 1 de');
  await ask(edge, 'POST');
  for (const language of ['de', 'fr']) {
    const text = await ask(edge, 'GET', `X-Language: ${language}\r\n`);
    expect(text).toContain(`version 2 ${language}`);
  }
});

test('who finds the file gone wants the environment once, and not for ever', async () => {
  const { worker, written } = await house();
  let isGone = false;
  const wake = { asleep: false, probePaths: [] };
  const edge = await worker(async (found) => (isGone ? null : found), { wake });
  await ask(edge, 'GET', '', '/large');
  await written(1);
  const headOf = async (): Promise<string> => (await ask(edge, 'GET', '', '/large')).slice(0, 400);
  expect(await headOf()).toContain('fwd=stale; fwd-status=304');
  isGone = true;
  expect(await headOf()).toContain('fwd=uri-miss; fwd-status=200');
  const quietMs = () => edge.worker.report(null, 'everything').quietMs?.['shop/production'];
  await expect.poll(quietMs, { timeout: 2_000, interval: 5 }).toBeGreaterThan(0);
});
