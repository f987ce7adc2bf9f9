import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type CacheRule, HONOUR_THE_APP } from '../../model/cache.ts';
import { httpOrigin, settled, statuses, type TestEdge, testEdge } from '../worker/edge.fixture.ts';

/** Who waits for what another has asked for gets it only if he would get it when it is kept. */

interface Held {
  who: string;
  response: ServerResponse;
}

/** Tells each who he is by his cookie, when it is let to. */
async function heldApp(fields: Readonly<Record<string, string>>) {
  const held: Held[] = [];
  const origin = await httpOrigin((request, response) => {
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    held.push({ who: request.headers.cookie ?? 'nobody', response });
  });
  return { origin, held };
}

const edgeBefore = (port: number, rule: Partial<CacheRule> = {}): Promise<TestEdge> =>
  testEdge([{ port }], {
    rule: {
      cache: { rules: [{ ...HONOUR_THE_APP, ...rule }], release: null, purgedUpTo: 0, purges: [] },
    },
  });

const PEOPLE = ['who=a', 'who=b', 'who=c'];
const get = (who: string): string =>
  `GET / HTTP/1.1\r\nHost: shop.localhost\r\nCookie: ${who}\r\n\r\n`;

/** All ask at once; answers are let go one by one. */
async function crowd(edge: TestEdge, held: Held[]): Promise<string[]> {
  const answers = PEOPLE.map((who) => edge.say(get(who)));
  let asked = 0;
  await settled();
  while (held.length > 0) {
    for (const { who, response } of held.splice(0)) {
      asked += 1;
      response.end(who);
    }
    await settled();
  }
  const received = await Promise.all(answers);
  return [...received.map((text) => text.split('\r\n\r\n')[1] ?? ''), `asked ${asked}`];
}

describe('those who ask at once', () => {
  it('share what is fresh', async () => {
    const { origin, held } = await heldApp({ 'Cache-Control': 'max-age=60' });
    const edge = await edgeBefore(origin.port);
    expect(await crowd(edge, held)).toEqual(['who=a', 'who=a', 'who=a', 'asked 1']);
  });

  it.each([
    ['may not be kept', { 'Cache-Control': 'private' }],
    ['says nothing', {}],
    ['has to be asked about each time', { 'Cache-Control': 'no-cache', ETag: '"a"' }],
    ['is stale when it comes', { 'Cache-Control': 'max-age=0', ETag: '"a"' }],
    ['is as old as its lifetime', { 'Cache-Control': 'max-age=60', Age: '60' }],
    ['sets a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=1' }],
  ])('each get their own of what %s', async (_, fields) => {
    const { origin, held } = await heldApp(fields);
    const edge = await edgeBefore(origin.port);
    expect(await crowd(edge, held)).toEqual([...PEOPLE, 'asked 3']);
    // Something may be kept now, to be asked about by each.
    expect(await crowd(edge, held)).toEqual([...PEOPLE, 'asked 3']);
  });

  it('are each told by the app whether it is theirs', async () => {
    let asked = 0;
    const origin = await httpOrigin((request, response) => {
      asked += 1;
      const tag = `"${request.headers.cookie}"`;
      response.setHeader('Cache-Control', 'no-cache').setHeader('ETag', tag);
      if (request.headers['if-none-match'] === tag) response.writeHead(304).end();
      else response.end(request.headers.cookie);
    });
    const edge = await edgeBefore(origin.port);
    const first = await edge.say(get('who=a'));
    const others = await Promise.all(PEOPLE.map((who) => edge.say(get(who))));
    expect(others.map((text) => text.split('\r\n\r\n')[1])).toEqual(PEOPLE);
    expect(statuses([first, ...others].join(''))).toEqual([200, 200, 200, 200]);
    expect(asked).toBe(4);
  });
});

describe('one who asks for himself', () => {
  it.each([
    ['wants nothing stored', 'Cache-Control: no-cache, no-store\r\n'],
    ['is known', 'Cache-Control: no-cache\r\nAuthorization: Basic YTpi\r\n'],
  ])('and %s takes nothing from the others', async (_, fields) => {
    let asked = 0;
    const origin = await httpOrigin((_request, response) => {
      asked += 1;
      response.setHeader('Cache-Control', 'max-age=60').end(`answer ${asked}`);
    });
    const edge = await edgeBefore(origin.port);
    const ask = async (more: string) =>
      (await edge.say(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`)).match(/answer \d/)?.[0];
    // Before there is anything, and while it is there.
    expect(await ask(fields)).toBe('answer 1');
    expect(await ask('')).toBe('answer 2');
    expect(await ask(fields)).toBe('answer 3');
    expect(await ask('')).toBe('answer 2');
    expect(asked).toBe(3);
  });
});
