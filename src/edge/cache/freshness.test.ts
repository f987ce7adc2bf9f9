import { describe, expect, it } from 'vitest';
import { LONGEST_S } from '../../model/cache.ts';
import { parseCacheControl } from './cache-control.ts';
import { ageOnArrivalMs, lifetimeOf, type TimeFields } from './freshness.ts';
import { httpDate } from './http-date.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const at = (seconds: number) => httpDate(NOW + seconds * 1000);
const times = (fields: Partial<TimeFields>): TimeFields => ({
  date: at(0),
  age: null,
  expires: null,
  lastModified: null,
  ...fields,
});

interface Case {
  rule: string;
  control?: string;
  fields?: Partial<TimeFields>;
  status?: number;
  heuristics?: boolean;
  seconds: number;
  source: string;
}

describe('a lifetime (RFC 9111 4.2.1)', () => {
  it.each<Case>([
    { rule: 'is told by max-age', control: 'max-age=60', seconds: 60, source: 'max-age' },
    {
      rule: 'is told by s-maxage before max-age (5.2.2.10)',
      control: 'max-age=60, s-maxage=5',
      seconds: 5,
      source: 's-maxage',
    },
    {
      rule: 'is told by max-age before Expires (5.3)',
      control: 'max-age=60',
      fields: { expires: at(5) },
      seconds: 60,
      source: 'max-age',
    },
    {
      rule: 'is told by an unreadable max-age, which is stale, before Expires',
      control: 'max-age=x',
      fields: { expires: at(5) },
      seconds: 0,
      source: 'max-age',
    },
    {
      rule: 'is told by Expires, less Date',
      fields: { expires: at(60), date: at(-30) },
      seconds: 90,
      source: 'expires',
    },
    {
      rule: 'is told by Expires, less the time it came where there is no Date (9110 6.6.1)',
      fields: { expires: at(60), date: null },
      seconds: 60,
      source: 'expires',
    },
    {
      rule: 'is told by Expires, less the time it came where Date is none',
      fields: { expires: at(60), date: 'today' },
      seconds: 60,
      source: 'expires',
    },
    {
      rule: 'is over where Expires lies before Date',
      fields: { expires: at(-1) },
      seconds: 0,
      source: 'expires',
    },
    {
      rule: 'is over where Expires is Date',
      fields: { expires: at(0) },
      seconds: 0,
      source: 'expires',
    },
    {
      rule: 'is over where Expires is no date, 0 above all (5.3)',
      fields: { expires: '0' },
      seconds: 0,
      source: 'expires',
    },
    {
      rule: 'is over where Expires has another zone (4.2)',
      fields: { expires: at(60).replace('GMT', 'EST') },
      seconds: 0,
      source: 'expires',
    },
    {
      rule: 'is no longer than can be told (1.2.2)',
      fields: { expires: 'Fri, 31 Dec 9999 23:59:59 GMT' },
      seconds: LONGEST_S,
      source: 'expires',
    },
    { rule: 'is not told by nothing', seconds: 0, source: 'none' },
    { rule: 'is not told by public alone', control: 'public', seconds: 0, source: 'none' },
  ])('$rule', ({ control = '', fields = {}, seconds, source }) => {
    const lifetime = lifetimeOf(200, parseCacheControl(control), times(fields), NOW, false);
    expect(lifetime).toEqual({ seconds, source });
  });
});

describe('a guess of a lifetime (RFC 9111 4.2.2)', () => {
  const lastModified = at(-600);

  it.each<Case>([
    {
      rule: 'is a tenth of what it is old',
      fields: { lastModified },
      seconds: 60,
      source: 'heuristic',
    },
    {
      rule: 'is not made where it is not allowed',
      fields: { lastModified },
      heuristics: false,
      seconds: 0,
      source: 'none',
    },
    {
      rule: 'is not made where a lifetime is told',
      control: 'max-age=5',
      fields: { lastModified },
      seconds: 5,
      source: 'max-age',
    },
    {
      rule: 'is not made where Expires cannot be read',
      fields: { lastModified, expires: '0' },
      seconds: 0,
      source: 'expires',
    },
    {
      rule: 'is not made of what may not be kept by itself (9110 15.1)',
      status: 302,
      fields: { lastModified },
      seconds: 0,
      source: 'none',
    },
    {
      rule: 'is made of that when it is public',
      status: 302,
      control: 'public',
      fields: { lastModified },
      seconds: 60,
      source: 'heuristic',
    },
    {
      rule: 'is not longer than a day',
      fields: { lastModified: at(-86_400 * 365) },
      seconds: 86_400,
      source: 'heuristic',
    },
    { rule: 'is not made of nothing', seconds: 0, source: 'none' },
    {
      rule: 'is not made of what was changed after it was made',
      fields: { lastModified: at(1) },
      seconds: 0,
      source: 'none',
    },
    {
      rule: 'is not made of what is no date',
      fields: { lastModified: 'long ago' },
      seconds: 0,
      source: 'none',
    },
  ])('$rule', ({ control = '', fields = {}, status = 200, heuristics = true, seconds, source }) => {
    const read = parseCacheControl(control);
    const lifetime = lifetimeOf(status, read, times(fields), NOW, heuristics);
    expect(lifetime).toEqual({ seconds, source });
  });

  it.each([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])(
    'is made of %i (9110 15.1)',
    (status) => {
      const lifetime = lifetimeOf(
        status,
        parseCacheControl(''),
        times({ lastModified }),
        NOW,
        true,
      );
      expect(lifetime.source).toBe('heuristic');
    },
  );
});

describe('the age at which a response comes (RFC 9111 4.2.3)', () => {
  it.each([
    ['is nothing when it was made now', {}, 0, 0],
    ['is what it took to come', {}, 2, 2],
    ['is what Age says', { age: '30' }, 0, 30],
    ['is what Age says and what it took to come', { age: '30' }, 2, 32],
    ['is how long ago Date is, where Age says less', { age: '5', date: at(-30) }, 0, 30],
    ['is how long ago Date is, where there is no Age', { date: at(-30) }, 0, 30],
    ['is what Age says, where Date is not so long ago', { age: '30', date: at(-5) }, 0, 30],
    ['is nothing when Date lies ahead', { date: at(60) }, 0, 0],
    ['is nothing when there is no Date', { date: null }, 0, 0],
    ['is nothing when Date is none', { date: 'x' }, 0, 0],
    ['is what the first of several Ages says (5.1)', { age: '30, 60' }, 0, 30],
    ['is not what an Age says that is no number (5.1)', { age: '-30' }, 0, 0],
    ['is not what an Age with a fraction says (5.1)', { age: '30.5' }, 0, 0],
    ['is not what an Age in quotes says (5.1)', { age: '"30"' }, 0, 0],
    ['is not what an Age with more behind it says (5.1)', { age: '30 s' }, 0, 0],
    ['is not what an empty Age says (5.1)', { age: '' }, 0, 0],
    ['is no more than can be told (1.2.2)', { age: '99999999999' }, 0, LONGEST_S],
  ])('%s', (_, fields, tookS, seconds) => {
    const requestedAt = NOW - tookS * 1000;
    expect(ageOnArrivalMs(times(fields), requestedAt, NOW)).toBe(seconds * 1000);
  });

  it('is never less than nothing, when the clock was set back meanwhile', () => {
    expect(ageOnArrivalMs(times({ date: null }), NOW + 60_000, NOW)).toBe(0);
  });
});
