import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readToken, type SignedPolicy, type SigningKey, signToken } from './signed-token.ts';

const key: SigningKey = { id: 'k1', secret: '0123456789abcdef'.repeat(4) };
const other: SigningKey = { id: 'k2', secret: 'fedcba9876543210'.repeat(4) };
const policy: SignedPolicy = { path: '/videos/*', expires: 1_800_000_000 };
const token = signToken(policy, key);
const [id = '', body = '', signature = ''] = token.split('.');

/** As an app would, whatever the policy. */
function signedByApp(text: string, { id: keyId, secret }: SigningKey = key): string {
  const signed = `${keyId}.${Buffer.from(text).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const flipped = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

describe('a token', () => {
  test('says what was signed', () => {
    const narrow = { ...policy, starts: 1_700_000_000, address: '203.0.113.0/24' };
    expect(readToken(token, [key])).toEqual(policy);
    expect(readToken(signToken(narrow, key), [other, key])).toEqual(narrow);
  });

  test('is what apps make of it in other languages', () => {
    expect(token).toBe(
      'k1.eyJwYXRoIjoiL3ZpZGVvcy8qIiwiZXhwaXJlcyI6MTgwMDAwMDAwMH0.qn-CO0pACYNP0S8d2XjCR3lsXZk2fyslQPSMb99cs0Y',
    );
    expect(signedByApp('{ "expires": 1800000000, "path": "/videos/*" }')).not.toBe(token);
    expect(readToken(signedByApp('{ "expires": 1800000000, "path": "/videos/*" }'), [key])).toEqual(
      policy,
    );
  });

  test.each([
    ['of no form', ''],
    ['of another form', 'abc'],
    ['without a signature', `${id}.${body}.`],
    ['without a key', `.${body}.${signature}`],
    ['with a part more', `${token}.x`],
    ['cut short', token.slice(0, -1)],
    ['cut in its policy', `${id}.${body.slice(0, -4)}.${signature}`],
    ['with more behind it', `${token}A`],
    ['with white space', ` ${token}`],
    ['with a line end', `${token}\n`],
    ['percent-encoded', token.replaceAll('.', '%2E')],
    ['of padded base64', `${id}.${body}.${signature}=`],
    ['of another policy', signedByApp('{}').replace(/[^.]+$/, signature)],
    ['with a flipped letter in its policy', `${id}.${flipped(body, 9)}.${signature}`],
    ['with a flipped letter in its signature', `${id}.${body}.${flipped(signature, 5)}`],
    ['said to be of another key', `k2.${body}.${signature}`],
    ['of a key that is not known', `k3.${body}.${signature}`],
    ['of a key with a leading zero', `k01.${body}.${signature}`],
    ['with another text of the same signature', `${id}.${body}.${signature.slice(0, -1)}V`],
  ])('%s is none', (_, changed) => {
    expect(readToken(changed, [key, other])).toBeNull();
  });

  test('of the key of another environment is none', () => {
    const theirs = { ...key, secret: other.secret };
    expect(readToken(signToken(policy, theirs), [key])).toBeNull();
  });

  test('holds for as long as its key is there', () => {
    expect(readToken(token, [other, key])).toEqual(policy);
    expect(readToken(token, [other])).toBeNull();
    expect(readToken(token, [])).toBeNull();
  });

  test.each([
    ['no JSON', 'path=/videos/*'],
    ['a text', '"/videos/*"'],
    ['no end', '{"path":"/videos/*"}'],
    ['no path', '{"expires":1800000000}'],
    ['an end as text', '{"path":"/videos/*","expires":"1800000000"}'],
    ['an end in milliseconds', '{"path":"/videos/*","expires":1800000000000}'],
    ['a fraction of a second', '{"path":"/videos/*","expires":1.5}'],
    ['a path without a slash', '{"path":"videos/*","expires":1800000000}'],
    ['a path with a space', '{"path":"/my videos/*","expires":1800000000}'],
    ['a path with a fragment', '{"path":"/videos/#a","expires":1800000000}'],
    ['a whole URL', '{"path":"http://x/videos/*","expires":1800000000}'],
    ['an address that is none', '{"path":"/*","expires":1800000000,"address":"10.0.0.0/33"}'],
    ['a key that nobody knows', '{"path":"/*","expires":1800000000,"ip":"10.0.0.1"}'],
  ])('of a policy with %s is none, however well it is signed', (_, text) => {
    expect(readToken(signedByApp(text), [key])).toBeNull();
  });
});

test('the page tells apps how to sign', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/cache.md'), 'utf8');
  const code = /```js\nimport .*\n([\s\S]*?)```/.exec(page)?.[1];
  const environment = { BELAY_SIGNING_KEY_ID: key.id, BELAY_SIGNING_KEY: key.secret };
  const run = new Function('createHmac', 'process', `${code} return sign;`);
  const sign = run(createHmac, { env: environment }) as (path: string, expires: number) => string;
  expect(sign(policy.path, policy.expires)).toBe(token);
  expect(page).toContain(token);
});
