import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_S } from '../../model/cache.ts';
import { parseCacheControl } from './cache-control.ts';

const NOTHING = parseCacheControl('');
/** What a value says beside nothing. */
const said = (value: string) =>
  Object.fromEntries(
    Object.entries(parseCacheControl(value)).filter(
      ([key, what]) =>
        JSON.stringify(what) !== JSON.stringify(NOTHING[key as keyof typeof NOTHING]) ||
        what === Number.POSITIVE_INFINITY,
    ),
  );

describe('Cache-Control (RFC 9111 5.2)', () => {
  it.each([
    ['no-store', { noStore: true }],
    ['no-cache', { noCache: true }],
    ['private', { private: true }],
    ['public', { public: true }],
    ['must-revalidate', { mustRevalidate: true }],
    ['proxy-revalidate', { proxyRevalidate: true }],
    ['must-understand', { mustUnderstand: true }],
    ['no-transform', { noTransform: true }],
    ['only-if-cached', { onlyIfCached: true }],
    ['immutable', { immutable: true }],
    ['max-age=60', { maxAgeS: 60 }],
    ['s-maxage=60', { sharedMaxAgeS: 60 }],
    ['min-fresh=60', { minFreshS: 60 }],
    ['max-stale=60', { maxStaleS: 60 }],
    ['max-stale', { maxStaleS: Number.POSITIVE_INFINITY }],
    ['stale-while-revalidate=60', { staleWhileRevalidateS: 60 }],
    ['stale-if-error=60', { staleIfErrorS: 60 }],
  ])('has the directive %s', (value, directives) => {
    expect(said(value)).toEqual(directives);
  });

  it.each([
    ['PUBLIC,Max-Age=1', { public: true, maxAgeS: 1 }, 'in any case, without white space'],
    [' public ,\t max-age=1 ', { public: true, maxAgeS: 1 }, 'with white space'],
    [',, public,,max-age=1,', { public: true, maxAgeS: 1 }, 'with empty elements'],
    ['max-age="60"', { maxAgeS: 60 }, 'in quotes'],
    ['max-age="6\\0"', { maxAgeS: 60 }, 'with a quoted pair'],
    ['max-age=007', { maxAgeS: 7 }, 'with leading zeros'],
    ['max-age=2147483648', { maxAgeS: LONGEST_S }, 'as long as there is'],
    ['max-age=99999999999999999999', { maxAgeS: LONGEST_S }, 'longer than there is (1.2.2)'],
    ['a, b=c, d="e", max-age=1', { maxAgeS: 1 }, 'beside unknown ones (5.2.3)'],
    ['a="b, no-store", max-age=1', { maxAgeS: 1 }, 'not in the text of another'],
    ['a="\\", no-store", max-age=1', { maxAgeS: 1 }, 'not behind a quoted quote'],
    ['constructor, __proto__=1, toString', {}, 'which no object has by itself'],
    ['x-no-store, no-storex', {}, 'and no part of a name'],
    ['max-stale=5, max-stale', { maxStaleS: 5 }, 'twice, for the stricter'],
    ['min-fresh=5, min-fresh=9', { minFreshS: 9 }, 'twice, for the stricter'],
    ['max-age=5, max-age=5', { maxAgeS: 5 }, 'twice, alike'],
  ])('reads %s as %o: %s', (value, directives, _how) => {
    expect(said(value)).toEqual(directives);
  });

  it.each([
    'max-age',
    'max-age=',
    'max-age=""',
    'max-age=-1',
    'max-age=+1',
    'max-age=1.5',
    'max-age=1e3',
    'max-age=0x9',
    'max-age=60s',
    'max-age=60 s',
    "max-age='60'",
    'max-age =60',
    'max-age= 60',
    'max-age="60"s',
    'max-age=60;',
    'max-age:60',
    'max-age=5, max-age=9',
    'max-age=9, max-age=5, max-age=9',
  ])('takes for stale what has no one time (4.2.1): %s', (value) => {
    expect(said(value)).toEqual({ maxAgeS: 0 });
  });

  it.each([
    ['no-store=1', { noStore: true }],
    ['no-store x', { noStore: true }],
    ['private=', { private: true }],
    ['private=""', { private: true }],
    ['private = "a"', { private: true }],
    ['no-cache=', { noCache: true }],
    ['no-cache="a', { noCache: true, noStore: true }],
    ['must-revalidate=x', { mustRevalidate: true }],
    ['public=1', {}],
    ['must-understand=1', {}],
    ['immutable="x"', {}],
    ['"no-store"', { noStore: true }],
    ['a="b, public, max-age=60', { noStore: true }],
    ['max-age=60, a="b', { maxAgeS: 60, noStore: true }],
  ])('takes what is malformed for what forbids more: %s', (value, directives) => {
    expect(said(value)).toEqual(directives);
  });

  it.each([
    ['no-cache="Set-Cookie"', { noCacheFields: ['set-cookie'] }, '5.2.2.4'],
    ['private="a, B"', { privateFields: ['a', 'b'] }, '5.2.2.7'],
    ['private=a', { privateFields: ['a'] }, '5.2.2.7, as a token'],
    ['private="a", private=b', { privateFields: ['a', 'b'] }, '5.2.2.7, twice'],
    ['private, private="a"', { private: true, privateFields: ['a'] }, '5.2.2.7, with and without'],
  ])('can name fields: %s (%o, %s)', (value, directives, _section) => {
    expect(said(value)).toEqual(directives);
  });

  it('never throws, and never overlooks a directive that stands alone', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'a-="\\, \t0,no-store'), maxLength: 40 });
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        // A quote before it may make it part of a text, and one without an end forbids as well.
        fc.pre((before.match(/"/g)?.length ?? 0) % 2 === 0 && !before.includes('\\'));
        expect(parseCacheControl(`${before},no-store,${after}`).noStore).toBe(true);
      }),
    );
  });

  it('reads what somebody made to be slow in no time', () => {
    const began = performance.now();
    parseCacheControl('\\"'.repeat(30_000));
    parseCacheControl('a="'.repeat(20_000));
    parseCacheControl('a, '.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(500);
  });
});
