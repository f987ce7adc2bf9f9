import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import { httpOrigin, type TestEdge, testEdge } from '../worker/edge.fixture.ts';
import { DirectoryStore } from './disk/directory-store.ts';
import type { DiskStore } from './disk/disk-store.ts';
import { keptFiles, MB, SOON, scratch } from './disk/scratch-store.fixture.ts';

/** What one worker has written and the next finds, and what happens meanwhile. */

const cache = { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] };

interface House {
  /** A worker whose memory is empty, before the same disk. @param gate what every look there waits for */
  worker(gate?: () => Promise<void>): Promise<TestEdge>;
  /** Resolves when so many files are there. */
  written(count: number): Promise<void>;
}

/** An app that tells its version and what it was asked for, and has a new one after every POST. */
async function house(fields: Readonly<Record<string, string>> = {}): Promise<House> {
  const place = scratch();
  onTestFinished(() => place.remove());
  let version = 1;
  const app = await httpOrigin(({ method, headers }, response) => {
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    if (method === 'POST') version += 1;
    response.setHeader('Cache-Control', 'max-age=60');
    response.end(`version ${version} ${headers['x-language'] ?? ''}`);
  });
  return {
    async worker(gate = async () => {}) {
      const { directory } = place;
      const options = { directory, boundBytes: 64 * MB, clock: systemClock, onTrouble() {} };
      const store = new DirectoryStore(options);
      await store.start();
      const open: DiskStore['open'] = async (key) => {
        const found = await store.open(key);
        await gate();
        return found;
      };
      const cacheDisk: DiskStore = new Proxy(store, {
        get(target, name) {
          if (name === 'open') return open;
          const value = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return testEdge([{ port: app.port }], { rule: { cache }, cacheDisk });
    },
    written: (count) => expect.poll(() => keptFiles(place.directory), SOON).toHaveLength(count),
  };
}

const ask = (edge: TestEdge, method: string, fields = ''): Promise<string> =>
  edge.say(
    `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${fields}Connection: close\r\n\r\n`,
  );

test('what is looked for while something changes is not brought back', async () => {
  const { worker, written } = await house();
  await ask(await worker(), 'GET');
  await written(1);
  const looked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const edge = await worker(() => {
    looked.resolve();
    return goOn.promise;
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
