import { describe, expect, test } from 'vitest';
import { type CacheRule, HONOUR_THE_APP } from '../../model/cache.ts';
import { httpOrigin, testEdge } from '../worker/edge.fixture.ts';

/** What a key has, the app is told; what it is not told, no key has. */

interface Answer {
  /** What the app was told when it made the answer. */
  told: string;
  isHit: boolean;
}

/** An app that answers with what it was told, kept for a minute, behind a cache with one rule. */
async function behindRule(rule: Partial<CacheRule>, control = 'max-age=60') {
  const app = await httpOrigin(({ url, headers }, response) => {
    if (control !== '') response.setHeader('Cache-Control', control);
    const fields = ['cookie', 'accept-language'].map((name) => headers[name] ?? '-');
    response.end(`<${[url, ...fields].join(' | ')}>`);
  });
  const rules = [{ ...HONOUR_THE_APP, ...rule }];
  const edge = await testEdge([{ port: app.port }], {
    rule: { cache: { rules, release: null, purgedUpTo: 0, purges: [] } },
  });
  return async (target: string, ...fields: string[]): Promise<Answer> => {
    const lines = ['Host: a', ...fields, 'Connection: close'];
    const text = await edge.say(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    return {
      told: /<(.*)>/.exec(text)?.[1] ?? text,
      isHit: /Cache-Status: belay; hit/.test(text),
    };
  };
}

const kept = (told: string) => ({ told, isHit: true });
const fetched = (told: string) => ({ told, isHit: false });

describe('cookies', () => {
  test('that are named tell answers apart, and others do not reach the app', async () => {
    const ask = await behindRule({ cookies: ['currency'] });
    expect(await ask('/', 'Cookie: sid=1; currency=EUR')).toEqual(fetched('/ | currency=EUR | -'));
    expect(await ask('/', 'Cookie: currency=EUR; sid=2')).toEqual(kept('/ | currency=EUR | -'));
    expect(await ask('/', 'Cookie: currency=USD')).toEqual(fetched('/ | currency=USD | -'));
    expect(await ask('/', 'Cookie: sid=3')).toEqual(fetched('/ | - | -'));
    expect(await ask('/')).toEqual(kept('/ | - | -'));
  });

  test('are the same on several lines', async () => {
    const ask = await behindRule({ cookies: ['currency'] });
    const lines = ['Cookie: sid=1', 'Cookie: currency=EUR'];
    expect(await ask('/', ...lines)).toEqual(fetched('/ | currency=EUR | -'));
    expect(await ask('/', 'Cookie: currency=EUR')).toEqual(kept('/ | currency=EUR | -'));
  });

  test('count once where one is sent twice', async () => {
    const ask = await behindRule({ cookies: ['currency'] });
    const twice = 'Cookie: currency=EUR; currency=USD';
    expect(await ask('/', twice)).toEqual(fetched('/ | currency=EUR | -'));
    expect(await ask('/', 'Cookie: currency=EUR')).toEqual(kept('/ | currency=EUR | -'));
  });

  test.each([
    ['gives a time where the app says nothing', { otherwiseS: 60 }, ''],
    ['gives a least time', { leastS: 60 }, 'max-age=0'],
  ])('do not reach the app where the rule %s', async (_, rule, control) => {
    const ask = await behindRule(rule, control);
    expect(await ask('/', 'Cookie: sid=1')).toEqual(fetched('/ | - | -'));
    expect(await ask('/', 'Cookie: sid=2')).toEqual(kept('/ | - | -'));
  });

  test('reach the app where what it says is all that counts', async () => {
    const ask = await behindRule({ mostS: 10, staleIfErrorS: 10 });
    expect(await ask('/', 'Cookie: sid=1')).toEqual(fetched('/ | sid=1 | -'));
  });
});

describe('fields', () => {
  test('that are named tell answers apart although the app does not say so', async () => {
    const ask = await behindRule({ headers: ['accept-language'] });
    expect(await ask('/', 'Accept-Language: de')).toEqual(fetched('/ | - | de'));
    expect(await ask('/', 'accept-language:  de ')).toEqual(kept('/ | - | de'));
    expect(await ask('/', 'Accept-Language: fr')).toEqual(fetched('/ | - | fr'));
    expect(await ask('/')).toEqual(fetched('/ | - | -'));
  });

  test('that are of this hop alone count as not sent', async () => {
    const ask = await behindRule({ headers: ['accept-language'] });
    const hop = ['Accept-Language: de', 'Connection: accept-language'];
    expect(await ask('/', ...hop)).toEqual(fetched('/ | - | -'));
    expect(await ask('/')).toEqual(kept('/ | - | -'));
    expect(await ask('/', 'Accept-Language: de')).toEqual(fetched('/ | - | de'));
  });
});

describe('parameters', () => {
  test('that do not count do not reach the app', async () => {
    const ask = await behindRule({ query: { mode: 'only', names: ['page'] } });
    expect(await ask('/?x=1&page=2&y')).toEqual(fetched('/?page=2 | - | -'));
    expect(await ask('/?page=2')).toEqual(kept('/?page=2 | - | -'));
    expect(await ask('/?x=1;page=3')).toEqual(fetched('/ | - | -'));
    expect(await ask('/')).toEqual(kept('/ | - | -'));
  });

  test('count in their order where nothing is said of them', async () => {
    const ask = await behindRule({});
    expect(await ask('/?a=1&b=2')).toEqual(fetched('/?a=1&b=2 | - | -'));
    expect(await ask('/?b=2&a=1')).toEqual(fetched('/?b=2&a=1 | - | -'));
    expect(await ask('/?a=1&b=2')).toEqual(kept('/?a=1&b=2 | - | -'));
  });
});
