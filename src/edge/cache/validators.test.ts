import { describe, expect, it } from 'vitest';
import { continues, isNotModified } from './validators.ts';

const NOW = Date.UTC(2026, 5, 15);
const EARLIER = 'Sun, 14 Jun 2026 11:59:59 GMT';
const MODIFIED = 'Sun, 14 Jun 2026 12:00:00 GMT';
const LATER = 'Sun, 14 Jun 2026 12:00:01 GMT';
const kept = { etag: '"a"', lastModified: MODIFIED, date: LATER };

describe('If-None-Match (RFC 9110 13.1.2)', () => {
  it.each([
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['W/"a"', 'W/"a"', true],
    ['"b", "a"', '"a"', true],
    ['"b","a" , "c"', '"a"', true],
    ['"b"', '"a"', false],
    ['"A"', '"a"', false],
    ['a', '"a"', false],
    ['"a', '"a"', false],
    ['"xa"', '"a"', false],
    ['"b, \\"a\\""', '"a"', false],
    ['*', '"a"', true],
    [' * ', '"a"', true],
    ['*', null, true],
    ['"*"', '"a"', false],
    ['"a"', null, false],
    ['', '""', false],
    ['""', '""', true],
    ['unquoted', 'unquoted', true],
  ])('%s, where %s is kept: %s', (ifNoneMatch, etag, expected) => {
    const conditions = { ifNoneMatch, ifModifiedSince: null };
    expect(isNotModified(conditions, { ...kept, etag }, NOW)).toBe(expected);
  });

  it('stands above If-Modified-Since, whatever both say (13.1.3)', () => {
    const other = { ifNoneMatch: '"b"', ifModifiedSince: LATER };
    expect(isNotModified(other, kept, NOW)).toBe(false);
    const same = { ifNoneMatch: '"a"', ifModifiedSince: EARLIER };
    expect(isNotModified(same, kept, NOW)).toBe(true);
  });
});

describe('If-Modified-Since (RFC 9110 13.1.3)', () => {
  it.each([
    [MODIFIED, true],
    [LATER, true],
    ['Sunday, 14-Jun-26 12:00:00 GMT', true],
    [EARLIER, false],
    [`${MODIFIED}, ${MODIFIED}`, false],
    ['yesterday', false],
  ])('%s: %s', (ifModifiedSince, expected) => {
    expect(isNotModified({ ifNoneMatch: null, ifModifiedSince }, kept, NOW)).toBe(expected);
  });

  it.each([
    [LATER, true],
    [MODIFIED, false],
  ])('is compared with Date where there is no Last-Modified (RFC 9111 4.3.2): %s', (since, is) => {
    const conditions = { ifNoneMatch: null, ifModifiedSince: since };
    expect(isNotModified(conditions, { ...kept, lastModified: null }, NOW)).toBe(is);
    expect(isNotModified(conditions, { etag: null, lastModified: null, date: null }, NOW)).toBe(
      false,
    );
  });
});

describe('If-Range (RFC 9110 13.1.5)', () => {
  it.each([
    [null, kept, true],
    ['"a"', kept, true],
    ['"b"', kept, false],
    ['W/"a"', kept, false],
    ['W/"a"', { ...kept, etag: 'W/"a"' }, false],
    ['"a"', { ...kept, etag: 'W/"a"' }, false],
    ['"a"', { ...kept, etag: null }, false],
    [MODIFIED, kept, true],
    [LATER, kept, false],
    [EARLIER, kept, false],
    [MODIFIED, { ...kept, lastModified: null }, false],
    ['"a", "a"', kept, false],
    ['', kept, false],
  ])('%s, where %o is kept: %s', (ifRange, validators, expected) => {
    expect(continues(ifRange, validators, NOW)).toBe(expected);
  });

  it.each([MODIFIED, null, 'never'])(
    'with a date is none where what is kept may have changed in that second (8.8.2.2): %s',
    (date) => {
      expect(continues(MODIFIED, { ...kept, date }, NOW)).toBe(false);
    },
  );
});
