import { describe, expect, it } from 'vitest';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import { rawOrigin } from '../worker/edge.fixture.ts';
import { ask, edgeBefore, gullibleApp, KEPT_FOR_ALL, told } from './gullible-app.fixture.ts';
import { accounts, answers } from './poisoned-answers.fixture.ts';
import { attacks, PLAIN, request } from './poisoning.fixture.ts';

/**
 * Nobody makes the cache give others an answer that was made for him. Of every attack, what the next
 * client gets is byte for byte what it gets where nobody has attacked.
 */

describe('what a client sends', () => {
  it.each(attacks)('$name: $safe', async ({ sends, safe, rule, target = PLAIN }) => {
    const { origin, seen } = await gullibleApp();
    const rules = [{ ...KEPT_FOR_ALL, ...rule }];
    const [attacked, quiet] = [
      await edgeBefore(origin.port, rules),
      await edgeBefore(origin.port, rules),
    ];
    const honest = told((await ask(quiet, request(target))).body, quiet);
    seen.length = 0;

    const got = await ask(attacked, sends);
    const heard = seen.map((text) => told(text, attacked));
    const victim = await ask(attacked, request(target));
    const again = await ask(attacked, request(target));
    for (const { status, body } of [victim, again]) {
      expect({ status, body: told(body, attacked) }).toEqual({ status: 200, body: honest });
    }
    expect(again.cacheStatus).toMatch(/^belay; hit/);
    switch (safe) {
      case 'not-told':
        expect(heard).toEqual([honest]);
        break;
      case 'passed-by':
        expect(heard).not.toContain(honest);
        expect(got.cacheStatus).toMatch(/fwd=/);
        expect(got.cacheStatus).not.toMatch(/stored/);
        expect(victim.cacheStatus).toMatch(/fwd=/);
        break;
      case 'kept-apart':
        expect(heard).not.toContain(honest);
        expect(got.cacheStatus).toMatch(/stored/);
        expect(victim.cacheStatus).toMatch(/fwd=uri-miss/);
        break;
      case 'refused':
        expect(heard).toEqual([]);
        expect(got.status === 0 || got.status >= 400).toBe(true);
    }
  });
});

describe('what a trusted proxy hands on', () => {
  const proxied = ['X-Forwarded-Proto: https', 'X-Forwarded-Host: shop.example'].join('\r\n');

  it.each([
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: evil',
    'X-Forwarded-Port: 666',
    'Forwarded: for=192.0.2.1;host=evil.example;proto=https',
    'Forwarded: for=192.0.2.1;proto=https;host="evil.example"',
    'Forwarded: for=192.0.2.1, for=192.0.2.2;host="a\\"b"',
    'Forwarded: for=192.0.2.1;host=shop.example/page',
    'Host: other.example',
  ])('%s is kept apart', async (field) => {
    const { origin } = await gullibleApp();
    const edge = await edgeBefore(origin.port, [KEPT_FOR_ALL], { trustedProxies: ['127.0.0.1'] });
    const honest = (await ask(edge, request(PLAIN, `${proxied}\r\n`))).body;
    const attack = field.startsWith('Host')
      ? `GET ${PLAIN} HTTP/1.1\r\n${field}\r\n${proxied}\r\n\r\n`
      : request(PLAIN, `${proxied}\r\n${field}\r\n`);
    const { body, cacheStatus } = await ask(edge, attack);
    expect(body).not.toBe(honest);
    expect(cacheStatus).toMatch(/fwd=uri-miss.*stored/);
    const victim = await ask(edge, request(PLAIN, `${proxied}\r\n`));
    expect([victim.body, victim.cacheStatus]).toEqual([
      honest,
      expect.stringMatching(/^belay; hit/),
    ]);
  });
});

describe('what the app answers, and is not to be given to others', () => {
  it.each(answers)('$name', async ({ says, ends, rule }) => {
    let asked = 0;
    const origin = await rawOrigin((socket) => {
      asked += 1;
      if (asked > 1) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest');
        return;
      }
      socket.write(says, 'latin1');
      if (ends === 'end') socket.end();
      else if (ends === 'reset') setImmediate(() => socket.resetAndDestroy());
    });
    const edge = await edgeBefore(origin.port, [{ ...KEPT_FOR_ALL, ...rule }]);
    await ask(edge, request(PLAIN));
    const victim = await ask(edge, request(PLAIN));
    expect(victim).toMatchObject({ status: 200, body: 'honest' });
    expect(victim.head).not.toMatch(/evil/);
  });
});

describe('a page of somebody who is signed in', () => {
  it.each(accounts)('$name', async ({ targets, says, rules }) => {
    const origin = await rawOrigin((socket, text) => {
      const who = /\r\nCookie: sid=alice/i.test(text) ? 'the account of alice' : 'please sign in';
      socket.write(`HTTP/1.1 200 OK\r\n${says}Content-Length: ${who.length}\r\n\r\n${who}`);
    });
    const edge = await edgeBefore(
      origin.port,
      rules.map((rule) => ({ ...HONOUR_THE_APP, ...rule })),
    );
    for (const target of targets) {
      await ask(edge, request(target, 'Cookie: sid=alice\r\n'));
      const { body } = await ask(edge, request(target));
      expect([target, body]).toEqual([target, 'please sign in']);
    }
  });
});

describe('what only the head is asked of', () => {
  it('is asked as it is asked for all, so that what is kept takes nothing else from it', async () => {
    const origin = await rawOrigin((socket, text) => {
      const [method, target] = text.split(' ');
      const cookie = /\r\nCookie: (.*)\r\n/i.exec(text)?.[1] ?? '';
      const same = 'Cache-Control: max-age=0\r\nETag: "1"\r\n';
      const told = `${same}Link: <${target}>\r\nX-Cookie: ${cookie}\r\nContent-Length: 4\r\n\r\n`;
      if (/\r\nIf-None-Match: "1"/i.test(text)) {
        socket.write(`HTTP/1.1 304 Not Modified\r\n${same}\r\n`);
      } else socket.write(`HTTP/1.1 200 OK\r\n${told}${method === 'HEAD' ? '' : 'page'}`);
    });
    const edge = await edgeBefore(origin.port, [
      { ...KEPT_FOR_ALL, query: { mode: 'except', names: ['utm_*'] } },
    ]);
    await ask(edge, request(PLAIN));
    const head = request(`${PLAIN}?utm_source=evil`, 'Cookie: evil=1\r\n').replace('GET', 'HEAD');
    await ask(edge, head);
    const victim = await ask(edge, request(PLAIN));
    expect(victim).toMatchObject({ status: 200, body: 'page' });
    expect(victim.head).toMatch(/\r\nLink: <\/page>\r\n/);
    expect(victim.head).not.toMatch(/evil/);
  });
});

describe('what the app says of its answers', () => {
  const saying = (fields: string, body = 'page') =>
    rawOrigin((socket, text) => {
      const taste = /\r\nX-Taste: (.*)\r\n/i.exec(text)?.[1] ?? 'none';
      const answer = body === '' ? taste : body;
      socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${answer.length}\r\n\r\n${answer}`);
    });

  it('holds for no longer than the rule lets it', async () => {
    const origin = await saying('Cache-Control: max-age=99999999999999999999\r\n');
    const edge = await edgeBefore(origin.port, [{ ...KEPT_FOR_ALL, mostS: 60 }]);
    await ask(edge, request(PLAIN));
    const { cacheStatus } = await ask(edge, request(PLAIN));
    expect(Number(/^belay; hit; ttl=(\d+)$/.exec(cacheStatus)?.[1])).toBeLessThanOrEqual(60);
  });

  it('is not got around by calling a field that it varies by one of this hop', async () => {
    const origin = await saying('Cache-Control: max-age=60\r\nVary: X-Taste\r\n', '');
    const edge = await edgeBefore(origin.port, [KEPT_FOR_ALL]);
    const sweet = 'X-Taste: sweet\r\n';
    expect((await ask(edge, request(PLAIN, `Connection: X-Taste\r\n${sweet}`))).body).toBe('none');
    expect((await ask(edge, request(PLAIN, sweet))).body).toBe('sweet');
    expect((await ask(edge, request(PLAIN))).body).toBe('none');
  });
});

describe('what many are sent for alone', () => {
  const VARIANTS = 200;

  it('ever new values of what answers vary by keep out none but each other', async () => {
    const origin = await rawOrigin((socket, text) => {
      const said = /\r\nX-Taste: (.*)\r\n/i.exec(text)?.[1] ?? 'none';
      socket.write(
        `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: X-Taste\r\nContent-Length: ${said.length}\r\n\r\n${said}`,
      );
    });
    const edge = await edgeBefore(origin.port, [KEPT_FOR_ALL]);
    const taste = (value: string) => ask(edge, request(PLAIN, `X-Taste: ${value}\r\n`));
    for (let i = 0; i < VARIANTS; i += 1) expect((await taste(`t${i}`)).body).toBe(`t${i}`);
    expect((await taste(`t${VARIANTS - 1}`)).cacheStatus).toMatch(/^belay; hit/);
    const first = await taste('t0');
    expect([first.body, first.cacheStatus]).toEqual(['t0', expect.stringMatching(/fwd=/)]);
    expect((await ask(edge, request(PLAIN))).body).toBe('none');
  });

  it('ever new addresses take no more memory than the cache may, and push nothing out that is used', async () => {
    const body = 'x'.repeat(8 * 1024);
    const origin = await rawOrigin((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const edge = await edgeBefore(origin.port, [KEPT_FOR_ALL], {
      cacheMemoryBytes: 1024 * 1024,
      cacheDiskBytes: 0,
    });
    const used = request('/used');
    for (let i = 0; i < 20; i += 1) await ask(edge, used);
    let hits = 0;
    for (let i = 0; i < 1_000; i += 1) {
      await ask(edge, request(`/page?evil=${i}`));
      if (i % 10 === 0 && (await ask(edge, used)).cacheStatus.startsWith('belay; hit')) hits += 1;
    }
    expect(hits).toBeGreaterThan(95);
    const { cacheMemory } = edge.worker.report(null, 'everything');
    expect(cacheMemory?.sizeBytes).toBeGreaterThan(0);
    expect(cacheMemory?.sizeBytes).toBeLessThanOrEqual(1024 * 1024);
    const early = await ask(edge, request('/page?evil=1'));
    expect(early.cacheStatus).toMatch(/fwd=uri-miss/);
  });
});
