import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../kernel/fault.ts';
import type { SigningKeyChange, TokenView } from '../model/signing-keys.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, NOW } from './scripted-views.ts';

const NOW_S = Math.floor(NOW / 1_000);
const SECRETS = ['a', 'b'].map((digit) => digit.repeat(64));

const signed: TokenView = { token: 'k2.POLICY.SIGNATURE', key: 'k2', needed: true };
const keysOf = (fields: Partial<SigningKeyChange> = {}): SigningKeyChange => ({
  application: 'shop',
  environment: 'production',
  keys: SECRETS.map((secret, index) => ({ id: `k${2 - index}`, secret, createdAt: NOW })),
  snapshot: 31,
  ...fields,
});

let daemon: ScriptedDaemon;
beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    sign: signed,
    signingKeys: keysOf(),
    rotateSigningKey: keysOf(),
    revokeSigningKey: keysOf({ keys: keysOf().keys.slice(0, 1) }),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

const asked = (route: string) => daemon.asked.find((each) => each.route === route);
const sign = (...words: string[]) => belay(daemon, ['sign', ...words]);

describe('belay sign', () => {
  test('prints an address for an hour, for what it names and nothing else', async () => {
    const { code, out, err } = await sign('http://shop.localhost:8080/videos/a.mp4');
    expect([code, out]).toEqual([
      0,
      'http://shop.localhost:8080/videos/a.mp4?belay-token=k2.POLICY.SIGNATURE\n',
    ]);
    expect(err).toMatch(
      /^For \/videos\/a\.mp4\? until 20\S+ \S+Z, by key k2 of shop\/production\.\n$/,
    );
    expect(asked('sign')).toMatchObject({
      params: { application: 'shop', environment: 'production' },
      body: { path: '/videos/a.mp4?', expires: Math.ceil(NOW / 1_000) + 3_600 },
    });
  });

  test.each([
    [
      '/videos/a.mp4?q=1&r',
      '/videos/a.mp4?q=1&r',
      '/videos/a.mp4?q=1&r&belay-token=k2.POLICY.SIGNATURE',
    ],
    ['/my film.mp4', '/my%20film.mp4?', '/my%20film.mp4?belay-token=k2.POLICY.SIGNATURE'],
    ['/a/../b#c', '/b?', '/b?belay-token=k2.POLICY.SIGNATURE'],
    ['//a', '//a?', '//a?belay-token=k2.POLICY.SIGNATURE'],
    ['https://shop.example', '/?', 'https://shop.example/?belay-token=k2.POLICY.SIGNATURE'],
    ['/videos/*', '/videos/*', 'belay-token=k2.POLICY.SIGNATURE'],
    ['/videos/*?size=*', '/videos/*?size=*', 'belay-token=k2.POLICY.SIGNATURE'],
    ['/a?size=*', '/a?size=*', 'belay-token=k2.POLICY.SIGNATURE'],
  ])('of %s signs %s', async (url, path, out) => {
    expect((await sign(url)).out).toBe(`${out}\n`);
    expect(asked('sign')).toMatchObject({ body: { path } });
  });

  test('says from when, until when, and for whom', async () => {
    const until = new Date(NOW + 86_400_000).toISOString().slice(0, 16);
    const { code } = await sign(
      '/a',
      '--from',
      '10m',
      '--expires',
      `${until}Z`,
      '--address',
      'fd00::/8',
    );
    expect(code).toBe(0);
    expect(asked('sign')?.body).toEqual({
      path: '/a?',
      starts: NOW_S + 600,
      expires: Math.ceil(Date.parse(`${until}Z`) / 1_000),
      address: 'fd00::/8',
    });
  });

  test.each([
    ['/videos/*', 'Path=/videos/; Max-Age=3600; HttpOnly; SameSite=Lax'],
    ['/videos/a*.mp4', 'Path=/videos/; Max-Age=3600; HttpOnly; SameSite=Lax'],
    ['/*', 'Path=/; Max-Age=3600; HttpOnly; SameSite=Lax'],
    ['https://x/videos/a', 'Path=/videos/a; Max-Age=3600; HttpOnly; SameSite=Lax; Secure'],
  ])('prints a cookie for %s', async (url, attributes) => {
    const { out } = await sign(url, '--cookie');
    expect(out).toBe(`Set-Cookie: BELAYTOKEN=k2.POLICY.SIGNATURE; ${attributes}\n`);
  });

  test('says where nothing has to be signed for', async () => {
    daemon.script.sign = { ...signed, needed: false };
    const { err } = await sign('/videos/*');
    expect(err).toContain("write { '/videos/*': { signed: true } } under edge.guard");
  });

  test('is JSON for scripts', async () => {
    const { json } = await sign('/videos/*', '--cookie', '--json');
    expect(json).toEqual({
      ...{ application: 'shop', environment: 'production', ...signed, url: null },
      policy: { path: '/videos/*', expires: Math.ceil(NOW / 1_000) + 3_600 },
      cookie: expect.stringContaining('BELAYTOKEN='),
    });
  });

  test.each([
    [['videos/a'], "'videos/a' is no address"],
    [['ftp://shop/a'], "'ftp://shop/a' is no address"],
    [['http://'], "'http://' is no address"],
    [['/a?belay-token=x'], 'is signed already'],
    [['/a', '--expires', 'soon'], "--expires is 'soon', which is no time"],
    [['/a', '--from', '-1h'], "--from is '-1h', which is no time"],
    [['/a', '--address', '10.0.0.0/33'], "--address is '10.0.0.0/33'"],
    [[], 'URL'],
  ])('refuses %j', async (words, what) => {
    const { code, err } = await sign(...words);
    expect(code).toBe(64);
    expect(err).toContain(what);
    expect(asked('sign')).toBeUndefined();
  });

  test('passes on what the daemon refuses', async () => {
    daemon.script.sign = () => {
      throw new Fault({ code: 'bad-policy', message: 'nothing was signed: x', hint: 'write y' });
    };
    const { code, err } = await sign('//a');
    expect(code).toBe(1);
    expect(err).toContain('Nothing was signed: x');
  });
});

describe('belay signing-keys', () => {
  test('lists them, and shows none unless asked', async () => {
    const { code, out } = await belay(daemon, ['signing-keys']);
    expect(code).toBe(0);
    expect(out).toMatch(/k2 .*•.* signs/);
    expect(out).toMatch(/k1 .*•.* passes/);
    for (const secret of SECRETS) expect(out).not.toContain(secret);
    const json = await belay(daemon, ['signing-keys', 'list', '--json']);
    for (const secret of SECRETS) expect(json.out).not.toContain(secret);
    const revealed = await belay(daemon, ['signing-keys', 'list', '--reveal']);
    for (const secret of SECRETS) expect(revealed.out).toContain(secret);
  });

  test('rotates, and says what to do next', async () => {
    const { code, out } = await belay(daemon, ['signing-keys', 'rotate']);
    expect(code).toBe(0);
    expect(out).toContain('shop/production signs by key k2 from now on.');
    expect(out).toContain('belay restart -a shop');
    expect(out).toContain('belay signing-keys revoke k1 -a shop');
    for (const secret of SECRETS) expect(out).not.toContain(secret);
    expect(asked('rotateSigningKey')).toMatchObject({ body: { by: expect.any(String) } });
  });

  test('revokes one', async () => {
    const { code, out } = await belay(daemon, ['signing-keys', 'revoke', 'k1', '-e', 'staging']);
    expect(code).toBe(0);
    expect(out).toContain('What key k1 of');
    expect(asked('revokeSigningKey')).toMatchObject({
      params: { application: 'shop', environment: 'staging', key: 'k1' },
      query: { by: expect.any(String) },
    });
  });

  test('says when the edge does not know yet', async () => {
    daemon.script.rotateSigningKey = keysOf({ snapshot: null });
    const { code, out } = await belay(daemon, ['signing-keys', 'rotate']);
    expect(code).toBe(1);
    expect(out).toContain('The edge cannot be reached');
  });
});
