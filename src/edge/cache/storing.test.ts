import { describe, expect, it } from 'vitest';
import { parseCacheControl } from './cache-control.ts';
import { readResponseFields } from './response-fields.ts';
import { mayStore, type StoringRequest, type StoringRule } from './storing.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const HONOUR: StoringRule = {
  leastS: 0,
  otherwiseS: null,
  mostS: 1_000,
  heuristics: false,
  errorS: null,
};
const MODIFIED = 'Last-Modified: Mon, 15 Jun 2026 11:50:00 GMT\r\n';

interface Asked extends Partial<StoringRequest> {
  status?: number;
  lines?: string;
  rule?: Partial<StoringRule>;
}

/** What becomes of an answer with a Cache-Control: its lifetime and who tells it, or why not. */
function kept(control: string, { status = 200, lines = '', rule, ...request }: Asked = {}): string {
  const storing = mayStore(
    { method: 'GET', hasAuthorization: false, noStore: false, ...request },
    status,
    parseCacheControl(control),
    readResponseFields(`Date: Mon, 15 Jun 2026 12:00:00 GMT\r\n${lines}`),
    { ...HONOUR, ...rule },
    NOW,
  );
  if (!storing.store) return storing.why;
  const without = storing.withoutFields.length > 0 ? `, without ${storing.withoutFields}` : '';
  return `${storing.lifetime.seconds} s by ${storing.lifetime.source}${without}`;
}

const ETAG = 'ETag: "a"\r\n';
const known = { hasAuthorization: true };

describe('an answer is kept (RFC 9111 3)', () => {
  it.each<[string, string, Asked, string]>([
    ['3: with max-age', 'max-age=60', {}, '60 s by max-age'],
    ['3: with s-maxage', 's-maxage=60', {}, '60 s by s-maxage'],
    [
      '3: with Expires',
      '',
      { lines: 'Expires: Mon, 15 Jun 2026 12:01:00 GMT\r\n' },
      '60 s by expires',
    ],
    ['3: not to another method', 'max-age=60', { method: 'POST' }, 'method'],
    ['3: not to a HEAD, which has no body to keep', 'max-age=60', { method: 'HEAD' }, 'method'],
    ['3: not while it is not final', 'max-age=60', { status: 103 }, 'status'],
    ['3: not a 206, which is a part', 'max-age=60', { status: 206 }, 'status'],
    ['3: not a 304, which is none', 'max-age=60', { status: 304 }, 'status'],
    ['3: whatever its status means', 'max-age=60', { status: 299 }, '60 s by max-age'],
    ['3: an error too, if it says how long', 'max-age=60', { status: 503 }, '60 s by max-age'],
    ['3: but not what is about one request', 'max-age=60', { status: 400 }, 'status'],
    ['3: not when it says nothing', '', {}, 'not-allowed'],
    ['3: not when it only says public', 'public', {}, 'not-allowed'],
    ['4.1: not when it varies by all', 'max-age=60', { lines: 'Vary: a, *\r\n' }, 'vary-star'],
    [
      '4.1: when it varies by a field with a star',
      'max-age=60',
      { lines: 'Vary: a*\r\n' },
      '60 s by max-age',
    ],
    [
      '5.2.1.5: not when the client says no-store',
      'max-age=60',
      { noStore: true },
      'request-no-store',
    ],
    ['5.2.2.5: not with no-store', 'no-store, max-age=60', {}, 'no-store'],
    [
      '5.2.2.3: with no-store, when it must be understood and is',
      'must-understand, no-store, max-age=60',
      {},
      '60 s by max-age',
    ],
    ['5.2.2.3: not when it is not', 'must-understand, max-age=60', { status: 299 }, 'status'],
    [
      '5.2.2.3: not with no-store, when it is not',
      'must-understand, no-store',
      { status: 299 },
      'status',
    ],
    ['5.2.2.7: not with private', 'private, max-age=60', {}, 'private'],
    [
      '5.2.2.7: without the fields that are',
      'private="a, b", max-age=60',
      {},
      '60 s by max-age, without a,b',
    ],
    [
      '5.2.2.4: without the fields that are to be asked for',
      'no-cache="a", max-age=60',
      {},
      '60 s by max-age, without a',
    ],
    ['5.2.2.4: with no-cache, to be asked about', 'no-cache', { lines: ETAG }, '0 s by none'],
    ['5.2.2.4: with no-cache, by its date', 'no-cache', { lines: MODIFIED }, '0 s by none'],
    [
      '5.2.2.4: not with no-cache, when there is nothing to ask by',
      'no-cache, max-age=60',
      {},
      'no-cache',
    ],
  ])('%s', (_, control, asked, expected) => {
    expect(kept(control, asked)).toBe(expected);
  });

  it.each<[string, string, Asked, string]>([
    ['not', 'max-age=60', known, 'authorization'],
    [
      'not by Expires',
      '',
      { ...known, lines: 'Expires: Mon, 15 Jun 2026 12:01:00 GMT\r\n' },
      'authorization',
    ],
    [
      'not because the rule says how long',
      '',
      { ...known, rule: { otherwiseS: 60 } },
      'authorization',
    ],
    ['with public', 'public, max-age=60', known, '60 s by max-age'],
    ['with must-revalidate', 'must-revalidate, max-age=60', known, '60 s by max-age'],
    ['with s-maxage', 's-maxage=60', known, '60 s by s-maxage'],
    ['not with proxy-revalidate', 'proxy-revalidate, max-age=60', known, 'authorization'],
    [
      'not with public where private stands beside it',
      'public, private, max-age=60',
      known,
      'private',
    ],
  ])('3.5: of one who is known: %s', (_, control, asked, expected) => {
    expect(kept(control, asked)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ['not', 'public, max-age=60', 'set-cookie'],
    [
      'without it, where the app says so',
      'no-cache="set-cookie", max-age=60',
      '60 s by max-age, without set-cookie',
    ],
    [
      'without it, where the app says whose it is',
      'private="Set-Cookie", max-age=60',
      '60 s by max-age, without set-cookie',
    ],
  ])('with a Set-Cookie: %s', (_, control, expected) => {
    expect(kept(control, { lines: 'Set-Cookie: a=1\r\n' })).toBe(expected);
  });
});

describe('the rule of a path', () => {
  const otherwise = { rule: { otherwiseS: 60 } };
  const least = { rule: { leastS: 60 } };

  it.each<[string, string, Asked, string]>([
    ['says how long where the app does not', '', otherwise, '60 s by none'],
    ['does not where the app does', 'max-age=5', otherwise, '5 s by max-age'],
    ['does not where the app says it badly', 'max-age=x', otherwise, '0 s by max-age'],
    ['does not say it of what has to be asked about', 'no-cache', otherwise, 'no-cache'],
    ['does not say it of a redirect for a while', '', { ...otherwise, status: 302 }, 'not-allowed'],
    ['says it of that when it is public', 'public', { ...otherwise, status: 302 }, '60 s by none'],
    ['says it of a redirect for good', '', { ...otherwise, status: 301 }, '60 s by none'],
    ['does not say it of errors', '', { ...otherwise, status: 404 }, 'not-allowed'],
    ['says how long errors are kept', '', { rule: { errorS: 7 }, status: 404 }, '7 s by none'],
    ['says it of nothing else', '', { rule: { errorS: 7 } }, 'not-allowed'],
    ['does not say it of 403', '', { rule: { errorS: 7 }, status: 403 }, 'not-allowed'],
    ['makes a lifetime longer', 'max-age=5', least, '60 s by max-age'],
    ['makes none of what says nothing', '', least, 'not-allowed'],
    ['makes that of errors no longer', 'max-age=5', { ...least, status: 404 }, '5 s by max-age'],
    ['makes a lifetime shorter', 'max-age=60', { rule: { mostS: 5 } }, '5 s by max-age'],
    [
      'makes its own no longer than that',
      '',
      { rule: { otherwiseS: 60, mostS: 5 } },
      '5 s by none',
    ],
    ['keeps nothing that is private', 'private', least, 'private'],
    ['keeps nothing that is not to be stored', 'no-store', least, 'no-store'],
    [
      'can let a lifetime be guessed',
      '',
      { rule: { heuristics: true }, lines: MODIFIED },
      '60 s by heuristic',
    ],
    ['lets none be guessed by itself', '', { lines: MODIFIED }, 'not-allowed'],
  ])('%s', (_, control, asked, expected) => {
    expect(kept(control, asked)).toBe(expected);
  });
});
