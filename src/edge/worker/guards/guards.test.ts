import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import { type ManualClock, manualClock } from '../../../kernel/clock.ts';
import { silentLog } from '../../../kernel/log.ts';
import type { Guard } from '../../../model/guard.ts';
import { type SignedPolicy, type SigningKey, signToken } from '../../../model/signed-token.ts';
import { AccessLogFile } from '../access-log-file.ts';
import {
  httpOrigin,
  type Origin,
  recordingOrigin,
  type SeenRequest,
  statuses,
  testEdge,
} from '../edge.fixture.ts';

/** Who is let through to what is guarded, on real sockets. */

const START_S = Date.UTC(2026, 0, 1) / 1_000;
const key: SigningKey = { id: 'k1', secret: '0123456789abcdef'.repeat(4) };
const theirs: SigningKey = { id: 'k1', secret: 'fedcba9876543210'.repeat(4) };

const guard = (path: string, fields: Partial<Guard> = {}): Guard => ({
  ...{ path, signed: false, referers: null, bots: null, rate: null },
  ...fields,
});
const signed = (path: string): Guard => guard(path, { signed: true });
const token = (policy: Partial<SignedPolicy> = {}, by = key): string =>
  signToken({ path: '/videos/*', expires: START_S + 60, ...policy }, by);

let clock: ManualClock;
let app: Origin & { seen: SeenRequest[] };

beforeEach(async () => {
  clock = manualClock();
  app = await recordingOrigin();
});

async function guarded(
  rules: Guard[],
  keys: SigningKey[] = [key],
  { accessLog }: { accessLog?: AccessLogFile } = {},
) {
  const edge = await testEdge([{ port: app.port }], {
    clock,
    rule: { hosts: ['shop.localhost', '*'], guards: { rules, keys } },
    ...(accessLog && { accessLog, settings: { accessLog: 'json' as const } }),
  });
  const ask = async (target: string, ...lines: string[]): Promise<string> =>
    edge.say([`GET ${target} HTTP/1.1`, 'Host: shop.localhost', ...lines, '', ''].join('\r\n'));
  return {
    edge,
    ask,
    status: async (target: string, ...lines: string[]) => statuses(await ask(target, ...lines))[0],
  };
}

describe('what has to be signed for', () => {
  it('is refused without a token, in words, and counted', async () => {
    const { ask, edge } = await guarded([signed('/videos/*')]);
    const answer = await ask('/videos/a.mp4');
    expect(answer).toContain('HTTP/1.1 403 ');
    expect(answer).toContain('\r\n\r\nThis is for those who have a signed address');
    expect(edge.outcomes()).toEqual({ refused: 1 });
    expect(app.seen).toEqual([]);
  });

  it('goes to who has one, and the app is not told of it', async () => {
    const { status, edge } = await guarded([signed('/videos/*')]);
    expect(await status(`/videos/a.mp4?q=1&belay-token=${token()}&r=2`)).toBe(200);
    expect(await status(`/videos/b.mp4?belay-token=${token()}`)).toBe(200);
    expect(await status('/videos/c.mp4', `Cookie: a=b; BELAYTOKEN=${token()}; c=d`)).toBe(200);
    expect(app.seen.map(({ url }) => url)).toEqual([
      '/videos/a.mp4?q=1&r=2',
      '/videos/b.mp4',
      '/videos/c.mp4',
    ]);
    expect(edge.outcomes()).toEqual({ ok: 3 });
  });

  it('leaves what no guard names alone, but for a token, which nobody behind has use for', async () => {
    const { status } = await guarded([signed('/videos/*')]);
    expect(await status('/pictures/a?x=1')).toBe(200);
    expect(await status('/pictures/a?belay-token=x')).toBe(200);
    expect(app.seen.map(({ url }) => url)).toEqual(['/pictures/a?x=1', '/pictures/a']);
  });

  it('stays where it is for as long as the token holds', async () => {
    const { status } = await guarded([signed('/videos/*')]);
    const target = `/videos/a?belay-token=${token({ starts: START_S + 10 })}`;
    const statusAfter = async (ms: number) => {
      await clock.advance(ms);
      return status(target);
    };
    expect(await statusAfter(0)).toBe(403);
    expect(await statusAfter(9_999)).toBe(403);
    expect(await statusAfter(1)).toBe(200);
    expect(await statusAfter(49_999)).toBe(200);
    expect(await statusAfter(1)).toBe(403);
  });

  it('goes on once it has begun, whatever its token does', async () => {
    const { edge } = await guarded([signed('/videos/*')]);
    const client = edge.connect();
    const target = `/videos/a?belay-token=${token({ expires: START_S + 5 })}`;
    const begun = once(app.server, 'request');
    client.socket.write(
      `POST ${target} HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 2\r\n\r\na`,
    );
    await begun;
    await clock.advance(6_000);
    client.socket.write('b');
    expect(statuses(await client.until(/ok$/))).toEqual([200]);
  });

  test.each([
    ['::1', 403],
    ['127.0.0.1', 200],
    ['127.0.0.0/8', 200],
    ['10.0.0.0/8', 403],
    ['::ffff:127.0.0.1', 200],
  ])('for clients at %s: %i', async (address, expected) => {
    const { status } = await guarded([signed('/videos/*')]);
    expect(await status(`/videos/a?belay-token=${token({ address })}`)).toBe(expected);
  });

  test.each<[what: string, target: string, policy: Partial<SignedPolicy>, expected: number]>([
    ['this path', '/videos/a', { path: '/videos/a' }, 200],
    ['another path', '/videos/b', { path: '/videos/a' }, 403],
    ['another case', '/videos/A', { path: '/videos/a' }, 403],
    ['another case of what is guarded', '/VIDEOS/a', {}, 403],
    ['a path below', '/videos/a/b', { path: '/videos/a' }, 403],
    ['a path with a slash more', '/videos/a/', { path: '/videos/a' }, 403],
    ['this query', '/videos/a?q=1', { path: '/videos/a?q=1' }, 200],
    ['another query', '/videos/a?q=2', { path: '/videos/a?q=1' }, 403],
    ['a parameter more', '/videos/a?q=1&r=2', { path: '/videos/a?q=1' }, 403],
    ['a parameter in front', '/videos/a?r=2&q=1', { path: '/videos/a?q=1' }, 403],
    ['any query, when it names none', '/videos/a?q=2', { path: '/videos/a' }, 200],
    ['no query, when it says so', '/videos/a?q=2', { path: '/videos/a?' }, 403],
    ['no query, and there is none', '/videos/a', { path: '/videos/a?' }, 200],
    ['some queries', '/videos/a?size=big&q=1', { path: '/videos/*?size=*' }, 200],
    ['a star that reaches for the query', '/videos/a.key?x=.mp4', { path: '/videos/*.mp4' }, 403],
    ['a double slash', '/videos//a', {}, 403],
    ['a double slash in front', '//videos/a', {}, 403],
    ['a dot', '/videos/./a', {}, 403],
    ['a way out', '/videos/x/../a', {}, 403],
    ['a way out that is encoded', '/videos/x/%2e%2e/a', {}, 403],
    ['a way out that is encoded twice', '/videos/x/%252e%252e/a', {}, 403],
    ['a way out with encoded slashes', '/videos/x%2f..%2f..%2fa', {}, 403],
    ['a way out with backslashes', '/videos/x%5c..%5ca', {}, 403],
    ['a way out with a parameter', '/videos/x/..;/a', {}, 403],
    ['an escape', '/videos/my%20film', {}, 200],
    ['an escape that was signed', '/videos/my%20film', { path: '/videos/my%20film' }, 200],
    ['an escape for what was signed', '/videos/%61', { path: '/videos/a' }, 403],
  ])('for %s', async (_, target, policy, expected) => {
    const { status } = await guarded([signed('/videos/*')]);
    const mark = target.includes('?') ? '&' : '?';
    expect(await status(`${target}${mark}belay-token=${token(policy)}`)).toBe(expected);
    expect(await status(target, `Cookie: BELAYTOKEN=${token(policy)}`)).toBe(expected);
  });

  test.each([
    ['/%76ideos/a'],
    ['/%2576ideos/a'],
    ['/videos%2fa'],
    ['/VIDEOS/a'],
    ['/Videos/%41'],
    ['//videos/a'],
    ['/x/../videos/a'],
    ['/x/%2e%2e/videos/a'],
    ['/open/..%2fvideos/a'],
    ['/x/..;/videos/a'],
    ['/;x/videos/a'],
    ['/videos;x/a'],
    ['/videos%5ca'],
    ['/admin/'],
    ['/ADMIN'],
    ['/admin/.'],
    ['/admin;x'],
    ['http://shop.localhost/videos/a'],
  ])('is refused to who has none, written %s too', async (target) => {
    const { status } = await guarded([guard('/open/*'), signed('/videos/*'), signed('/admin')]);
    expect(await status(target)).toBe(403);
  });

  test.each(['/open/a', '/open/a%20b', '/open/A', '/open/', '/open', '/vide', '/videosx/a'])(
    'does not reach for %s',
    async (target) => {
      const { status } = await guarded([guard('/open/*'), signed('/videos/*'), signed('/open/b')]);
      expect(await status(target)).toBe(200);
    },
  );

  test.each(['X-Original-URL', 'x-rewrite-url', 'X-HTTP-DestinationURL'])(
    'is refused by the address in %s',
    async (name) => {
      const { status } = await guarded([signed('/videos/*')]);
      const cookie = `Cookie: BELAYTOKEN=${token()}`;
      expect(await status('/open', `${name}: /videos/a`)).toBe(403);
      expect(await status('/open', `${name}: /x/..%2fVIDEOS/a?b`)).toBe(403);
      expect(await status('/videos/a', `${name}: /videos/b`, cookie)).toBe(403);
      expect(await status('/videos/a', `${name}: /videos/a?b`, cookie)).toBe(200);
      expect(await status('/open', `${name}: http://shop.localhost/videos/a`)).toBe(403);
      expect(await status('/open', `${name}: /closed`)).toBe(200);
    },
  );

  it('counts every reading, where the first guard that matches is open', async () => {
    const { status } = await guarded([guard('/videos/public/*'), signed('/videos/*')]);
    expect(await status('/videos/public/a')).toBe(200);
    expect(await status('/videos/public/%61')).toBe(200);
    expect(await status('/videos/PUBLIC/a')).toBe(403);
    expect(await status('/videos/public/../a')).toBe(403);
    expect(await status('/videos/public/..%2fa')).toBe(403);
  });

  it('matches patterns with escapes as they are written, and read', async () => {
    const { status } = await guarded([
      guard('/my%20files/open/*'),
      signed('/my%20files/*'),
      signed('/*'),
    ]);
    expect(await status('/my%20files/open/a')).toBe(200);
    expect(await status('/my%20files/a')).toBe(403);
    expect(await status('/m%79%20files/a')).toBe(403);
    const odd = await guarded([signed('/%61bc')]);
    expect([await odd.status('/abc'), await odd.status('/ABC')]).toEqual([403, 403]);
  });

  test.each<[what: string, query: string]>([
    ['of another environment', token({}, theirs)],
    ['of a key that was taken back', token({}, { ...key, id: 'k2' })],
    ['that is empty', ''],
    ['that is cut short', token().slice(0, -1)],
    ['that is there twice', `${token()}&belay-token=${token()}`],
    ['of which one is wrong', `${token()}&belay-token=x`],
    ['whose parts are exchanged', token().split('.').reverse().join('.')],
    [
      'with the signature of another',
      `${token({ path: '/*' }).split('.').slice(0, 2).join('.')}.${token().split('.')[2]}`,
    ],
    ['that is escaped', token().replaceAll('.', '%2E')],
    ['with a plus for a minus', `${token()}+`],
  ])('is refused to a token %s', async (_, query) => {
    const { status } = await guarded([signed('/videos/*')]);
    expect(await status(`/videos/a?belay-token=${query}`)).toBe(403);
    expect(app.seen).toEqual([]);
  });

  it('is refused by a token in the address, whatever the cookies are', async () => {
    const { status } = await guarded([signed('/videos/*')]);
    const cookie = `Cookie: BELAYTOKEN=${token()}`;
    expect(await status('/videos/a?belay-token=x', cookie)).toBe(403);
    expect(await status(`/videos/a?belay-token=${token({ path: '/videos/b' })}`, cookie)).toBe(403);
  });

  it('looks at every cookie of the name, and at no other', async () => {
    const { status } = await guarded([signed('/videos/*')]);
    const elsewhere = token({ path: '/audio/*' });
    const cookies = (...texts: string[]) =>
      status('/videos/a', ...texts.map((text) => `Cookie: ${text}`));
    expect(await cookies(`BELAYTOKEN=${elsewhere}`)).toBe(403);
    expect(await cookies(`BELAYTOKEN=${elsewhere}; BELAYTOKEN=${token()}`)).toBe(200);
    expect(await cookies(`BELAYTOKEN=${elsewhere}`, `BELAYTOKEN=${token()}`)).toBe(200);
    expect(await cookies(`XBELAYTOKEN=${token()}`)).toBe(403);
    expect(await cookies(`belaytoken=${token()}`)).toBe(403);
    expect(await cookies(`a="BELAYTOKEN=${token()}"`)).toBe(403);
    expect(await status('/videos/a', `X-Cookie: BELAYTOKEN=${token()}`)).toBe(403);
    expect(await cookies(Array(8).fill('BELAYTOKEN=x').join('; '), `BELAYTOKEN=${token()}`)).toBe(
      403,
    );
  });

  it('goes by whichever key is there, until it is taken back', async () => {
    const newer = { id: 'k2', secret: theirs.secret };
    const both = await guarded([signed('/videos/*')], [newer, key]);
    expect(await both.status(`/videos/a?belay-token=${token()}`)).toBe(200);
    expect(await both.status(`/videos/a?belay-token=${token({}, newer)}`)).toBe(200);
    const one = await guarded([signed('/videos/*')], [newer]);
    expect(await one.status(`/videos/a?belay-token=${token()}`)).toBe(403);
    const none = await guarded([signed('/videos/*')], []);
    expect(await none.status(`/videos/a?belay-token=${token()}`)).toBe(403);
  });

  it('writes no token into the access log', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'guards-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, 'access.log');
    const accessLog = new AccessLogFile({ path, clock, log: silentLog });
    const { edge, status } = await guarded([signed('/videos/*')], [key], { accessLog });
    expect(await status(`/videos/a?q=1&belay-token=${token()}`)).toBe(200);
    expect(await status(`/videos/b?belay-token=${token({ path: '/audio/*' })}`)).toBe(403);
    await edge.worker.close();
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { target: '/videos/a?q=1', status: 200, outcome: 'ok', environment: 'shop/production' },
      { target: '/videos/b', status: 403, outcome: 'refused', environment: 'shop/production' },
    ]);
  });
});

describe('what is kept', () => {
  const cache = { rules: [], release: null, purgedUpTo: 0, purges: [] };

  it('is kept once, for all who have a token, and given to nobody else', async () => {
    let asked = 0;
    const keeping = await httpOrigin(({ url }, response) => {
      asked += 1;
      response.setHeader('Cache-Control', 'max-age=60');
      response.end(`${url} ${asked}`);
    });
    const edge = await testEdge([{ port: keeping.port }], {
      clock,
      rule: {
        hosts: ['shop.localhost'],
        cache,
        guards: { rules: [signed('/videos/*')], keys: [key] },
      },
    });
    const ask = (target: string, more = '') =>
      edge.say(`GET ${target} HTTP/1.1\r\nHost: shop.localhost\r\n${more}\r\n`);
    const first = await ask(`/videos/a?q=1&belay-token=${token()}`);
    expect(first).toMatch(/Cache-Status: belay; fwd=uri-miss;[\s\S]*\/videos\/a\?q=1 1/);
    const others = [
      await ask(`/videos/a?belay-token=${token({ path: '/videos/a' })}&q=1`),
      await ask('/videos/a?q=1', `Cookie: BELAYTOKEN=${token({ path: '/*' })}\r\n`),
    ];
    for (const other of others) expect(other).toMatch(/belay; hit;[\s\S]*\/videos\/a\?q=1 1$/);
    expect(statuses(await ask('/videos/a?q=1'))).toEqual([403]);
    expect(statuses(await ask('/videos/a?q=1&belay-token=x'))).toEqual([403]);
    expect(asked).toBe(1);
    expect(edge.outcomes()).toEqual({ ok: 1, cached: 2, refused: 2 });
  });
});

describe('pages elsewhere', () => {
  const images = guard('/images/*', { referers: { hosts: ['*.partner.example'], strict: false } });

  test.each<[referer: string | null, expected: number]>([
    [null, 200],
    ['', 200],
    ['http://shop.localhost/', 200],
    ['https://shop.localhost:8443/a?b#c', 200],
    ['HTTP://SHOP.LOCALHOST', 200],
    ['https://www.partner.example/page', 200],
    ['https://partner.example/', 403],
    ['https://a.b.partner.example/', 403],
    ['https://evil.example/shop.localhost/', 403],
    ['https://evil.example/?http://shop.localhost/', 403],
    ['https://shop.localhost.evil.example/', 403],
    ['https://evilpartner.example/', 403],
    ['https://www.partner.example@evil.example/', 403],
    ['https://shop.localhost\\@evil.example/', 403],
    ['shop.localhost', 403],
    ['//shop.localhost/', 403],
    ['about:client', 403],
    ['null', 403],
  ])('%s: %i', async (referer, expected) => {
    const { status } = await guarded([images]);
    expect(await status('/images/a', ...(referer === null ? [] : [`Referer: ${referer}`]))).toBe(
      expected,
    );
    expect(await status('/elsewhere', 'Referer: https://evil.example/')).toBe(200);
  });

  it('have to be named, where the rule is strict', async () => {
    const { status } = await guarded([guard('/*', { referers: { hosts: [], strict: true } })]);
    expect(await status('/a')).toBe(403);
    expect(await status('/a', 'Referer:')).toBe(403);
    expect(await status('/a', 'Referer: http://shop.localhost/')).toBe(200);
  });
});

describe('clients', () => {
  const rule = (bots: Partial<NonNullable<Guard['bots']>>): Guard =>
    guard('/*', {
      bots: { refuse: ['bot', 'scrapy/'], allow: ['googlebot'], nameless: true, ...bots },
    });

  test.each<[agent: string | null, expected: number]>([
    [null, 200],
    ['Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', 200],
    ['Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)', 403],
    ['SCRAPY/2.11', 403],
    ['Mozilla/5.0 (compatible; Googlebot/2.1)', 200],
  ])('that say %s: %i', async (agent, expected) => {
    const { status } = await guarded([rule({})]);
    expect(await status('/a', ...(agent === null ? [] : [`User-Agent: ${agent}`]))).toBe(expected);
  });

  it('have to say what they are, where the rule asks for it', async () => {
    const { status } = await guarded([rule({ refuse: [], allow: [], nameless: false })]);
    expect(await status('/a')).toBe(403);
    expect(await status('/a', 'User-Agent:')).toBe(403);
    expect(await status('/a', 'User-Agent: curl/8')).toBe(200);
  });

  it('may ask so often, of each path apart, and are told when to come again', async () => {
    const rate = { requestsPerSecond: 1, burst: 2 };
    const { ask, status, edge } = await guarded([guard('/a*', { rate }), guard('/b*', { rate })]);
    expect([await status('/a'), await status('/a2'), await status('/a')]).toEqual([200, 200, 429]);
    expect(await status('/A')).toBe(429);
    expect(await status('/b')).toBe(200);
    expect(await status('/c')).toBe(200);
    expect(await ask('/a')).toContain('Retry-After: 1\r\n');
    await clock.advance(1_000);
    expect(await status('/a')).toBe(200);
    expect(edge.outcomes()).toEqual({ ok: 5, shed: 3 });
  });

  it('are not counted for what they were refused', async () => {
    const rate = { requestsPerSecond: 1, burst: 1 };
    const { status } = await guarded([guard('/videos/*', { signed: true, rate })]);
    expect([await status('/videos/a'), await status('/videos/a')]).toEqual([403, 403]);
    expect(await status(`/videos/a?belay-token=${token()}`)).toBe(200);
    expect(await status(`/videos/a?belay-token=${token()}`)).toBe(429);
  });
});

it('keeps a connection after a refusal, and its place in line', async () => {
  const { edge } = await guarded([signed('/videos/*')]);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n`;
  expect(statuses(await edge.say(get('/videos/a'), get('/b'), get('/videos/c')))).toEqual([
    403, 200, 403,
  ]);
});

it('answers HEAD without a body, and any method alike', async () => {
  const { edge } = await guarded([signed('/videos/*')]);
  const answer = await edge.say('HEAD /videos/a HTTP/1.1\r\nHost: shop.localhost\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*\r\n\r\n$/);
  const line = (method: string) => `${method} /videos/a HTTP/1.1\r\nHost: shop.localhost\r\n\r\n`;
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'PATCH']) {
    expect(statuses(await edge.say(line(method)))).toEqual([403]);
  }
});
