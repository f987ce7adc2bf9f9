import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import {
  health,
  httpOrigin,
  type RawClient,
  settled,
  snapshot,
  testEdge,
} from '../worker/edge.fixture.ts';

/** Who gets what is fetched, by what comes of it, while it comes. */

const cache = { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] };

/** It tells each the language he asked for, piece by piece. */
async function languages() {
  const answers: ServerResponse[] = [];
  const app = await httpOrigin(({ headers }, response) => {
    response.setHeader('Cache-Control', 'max-age=60').setHeader('Vary', 'X-Language');
    response.write(`${headers['x-language']}, `);
    answers.push(response);
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const ask = (language: string): RawClient => {
    const client = edge.connect();
    client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Language: ${language}\r\n\r\n`);
    return client;
  };
  const end = async (): Promise<void> => {
    for (const answer of answers.splice(0)) answer.end('to the end');
    await settled();
  };
  return { answers, ask, edge, end };
}

describe('an answer that varies', () => {
  test('is not for who comes while it comes, and asks for another; he shares what he asks for', async () => {
    const { answers, ask, edge, end } = await languages();
    const first = ask('de');
    await first.until(/de, /);
    const others = [ask('fr'), ask('fr'), ask('de')];
    await settled();
    expect(answers).toHaveLength(2);
    await end();
    const [one, two, three] = await Promise.all(others.map((each) => each.until(/to the end/)));
    expect(one).toContain('fr, ');
    expect(two).toContain('fr, ');
    expect(three).toContain('de, ');
    expect(edge.outcomes()).toEqual({ ok: 2, cached: 2 });
  });

  test('is not for who waited for it, and asks for another', async () => {
    const { answers, ask, edge, end } = await languages();
    const all = ['de', 'fr', 'fr', 'en', 'de'].map(ask);
    await settled();
    expect(answers).toHaveLength(3);
    await end();
    const texts = await Promise.all(all.map((each) => each.until(/to the end/)));
    expect(texts.map((text) => /\n([a-z]{2}), /.exec(text)?.[1])).toEqual([
      'de',
      'fr',
      'fr',
      'en',
      'de',
    ]);
    expect(edge.outcomes()).toEqual({ ok: 3, cached: 2 });
  });
});

/** A snapshot by which all names are of one environment, with one app. */
function belongsTo(number: number, environment: string, port: number | null): Snapshot {
  const id = `${environment}#1`;
  const [pool] = snapshot({ targets: port === null ? [] : [{ port }] }).pools;
  if (pool === undefined) throw new Error('a snapshot without a pool');
  const forward = [{ pool: id, weight: 1 }];
  return snapshot({
    number,
    rules: [{ hosts: ['*'], environment, forward, cache }],
    pools: [{ ...pool, id, environment }],
  });
}

test('what another environment answers, which has the name by now, is kept for neither', async () => {
  const apps = ['shop', 'blog'].map((name) =>
    httpOrigin((_, response) => response.setHeader('Cache-Control', 'max-age=60').end(name)),
  );
  const [shop, blog] = await Promise.all(apps);
  const edge = await testEdge([], { rule: { cache } });
  const ask = (): Promise<string> =>
    edge.say('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const turn = (number: number, environment: string, port: number): void => {
    edge.worker.apply(belongsTo(number, environment, port));
    edge.worker.updateHealth([health('i-0', 'healthy', true, `${environment}#1`)]);
  };
  // Nothing serves it, so it waits.
  const waits = ask();
  await settled();
  turn(2, 'blog/production', blog?.port ?? 0);
  expect(await waits).toMatch(/detail=other-version\r\n.*blog/s);
  turn(3, 'shop/production', shop?.port ?? 0);
  expect(await ask()).toMatch(/fwd=uri-miss.*shop/s);
});

test('what is asked for with a name and password is not kept where something changes meanwhile', async () => {
  const answers: ServerResponse[] = [];
  let version = 1;
  const app = await httpOrigin(({ method, headers }, response) => {
    response.setHeader('Cache-Control', 'public, max-age=60');
    if (method === 'POST') response.end(`version ${++version}`);
    else if (headers.authorization === undefined) response.end(`version ${version}`);
    else answers.push(response);
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const ask = (method: string, fields = ''): Promise<string> =>
    edge.say(`${method} / HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`);
  const known = ask('GET', 'Authorization: Basic YTpi\r\n');
  while (answers.length === 0) await settled(1);
  expect(await ask('POST', 'Content-Length: 0\r\n')).toContain('version 2');
  answers[0]?.end('version 1');
  expect(await known).toContain('version 1');
  expect(await ask('GET')).toContain('version 2');
});

test('what nobody else waits for is given up with the worker', async () => {
  const gone = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const app = await httpOrigin((request) => {
    request.socket.once('close', () => gone.resolve());
    asked.resolve();
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const client = edge.connect();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n');
  await asked.promise;
  client.socket.resetAndDestroy();
  while (edge.outcomes()['client-aborted'] === undefined) await settled(1);
  await edge.worker.close();
  await gone.promise;
  expect(edge.outcomes()).toEqual({ 'client-aborted': 1 });
});

test('what is said of an older answer does not bring it back', async () => {
  const held: ServerResponse[] = [];
  let version = 1;
  const app = await httpOrigin(({ headers }, response) => {
    response.setHeader('Cache-Control', 'public, max-age=60');
    if (headers['x-slow'] !== undefined) held.push(response.setHeader('ETag', `"${version}"`));
    else response.setHeader('ETag', `"${version}"`).end(`version ${version}`);
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const ask = (fields = ''): Promise<string> =>
    edge.say(`GET / HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`);
  const reload = 'Authorization: Basic YTpi\r\nCache-Control: no-cache\r\n';
  expect(await ask()).toContain('version 1');
  const slow = ask(`${reload}X-Slow: 1\r\n`);
  while (held.length === 0) await settled(1);
  version = 2;
  expect(await ask(reload)).toContain('version 2');
  held[0]?.writeHead(304).end();
  expect(await slow).toContain('version 1');
  expect(await ask()).toMatch(/belay; hit.*version 2/s);
});

test.each([
  'Cache-Control: no-cache, no-store',
  'Authorization: Basic YTpi\r\nCache-Control: no-cache',
])('who says `%s` takes nothing from the others', async (fields) => {
  const app = await httpOrigin((_, response) =>
    response.setHeader('Cache-Control', 'max-age=60').end('for all'),
  );
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const ask = (lines = ''): Promise<string> =>
    edge.say(`GET / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`);
  await ask();
  expect(await ask(`${fields}\r\n`)).toContain('belay; fwd=request; fwd-status=200; detail=');
  expect(await ask()).toContain('belay; hit');
});

test('what is stale is not asked about behind the answer to who wants nothing stored', async () => {
  let asked = 0;
  const app = await httpOrigin((_, response) => {
    asked += 1;
    response.setHeader('Cache-Control', 'max-age=1, stale-while-revalidate=60').setHeader('Age', 1);
    response.end('for all');
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const ask = (lines = ''): Promise<string> =>
    edge.say(`GET / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`);
  await ask();
  for (const lines of ['Cache-Control: no-store\r\n', '']) {
    expect(await ask(lines)).toContain('detail=revalidating');
    await settled();
  }
  expect(asked).toBe(2);
});
