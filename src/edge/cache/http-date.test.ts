import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { httpDate, parseHttpDate } from './http-date.ts';

const NOW = Date.UTC(2026, 5, 15);
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('a date in HTTP (RFC 9110 5.6.7)', () => {
  it.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'Sun Nov 06 08:49:37 1994',
  ])('has the form %s', (text) => {
    expect(parseHttpDate(text, NOW)).toBe(EXAMPLE);
  });

  it.each(['sun, 06 nov 1994 08:49:37 gmt', 'SUNDAY, 06-NOV-94 08:49:37 GMT'])(
    'is read in any case by a cache (RFC 9111 4.2): %s',
    (text) => {
      expect(parseHttpDate(text, NOW)).toBe(EXAMPLE);
    },
  );

  it.each([
    '',
    '0',
    '-1',
    '784111777',
    '1994-11-06T08:49:37Z',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun,06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov  1994 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sun, 06 Nov 1994 08:49 GMT',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 EST',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Foo, 06 Nov 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:00:61 GMT',
    'Sat, 01 Jan 0001 00:00:00 GMT',
    'Nov  6 08:49:37 1994',
    '6 Nov 1994',
  ])('has not the form %j', (text) => {
    expect(parseHttpDate(text, NOW)).toBeNull();
  });

  it('may be in a leap second, at the end of a year as well', () => {
    const newYear = Date.UTC(2017, 0, 1);
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', NOW)).toBe(newYear);
  });

  it.each([
    ['Monday, 15-Jun-76 00:00:00 GMT', 2076],
    ['Monday, 15-Jun-76 00:00:01 GMT', 1976],
    ['Monday, 01-Jan-77 00:00:00 GMT', 1977],
    ['Monday, 01-Jan-99 00:00:00 GMT', 1999],
    ['Monday, 01-Jan-00 00:00:00 GMT', 2000],
    ['Monday, 01-Jan-26 00:00:00 GMT', 2026],
  ])('of two digits is the last that is not more than fifty years ahead: %s', (text, year) => {
    expect(new Date(parseHttpDate(text, NOW) ?? 0).getUTCFullYear()).toBe(year);
  });

  it('of two digits is of the coming century at the end of one', () => {
    const at = parseHttpDate('Monday, 01-Jan-03 00:00:00 GMT', Date.UTC(2098, 0, 1));
    expect(new Date(at ?? 0).getUTCFullYear()).toBe(2103);
  });

  it('is read as it was written', () => {
    const times = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(times, (seconds) => {
        expect(parseHttpDate(httpDate(seconds * 1000), NOW)).toBe(seconds * 1000);
      }),
    );
  });
});
