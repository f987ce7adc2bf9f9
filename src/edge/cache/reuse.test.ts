import { describe, expect, it } from 'vitest';
import { parseCacheControl } from './cache-control.ts';
import {
  ageMsOf,
  allowedBy,
  type KeptTimes,
  mayAnswerForError,
  reuseOf,
  ttlMsOf,
} from './reuse.ts';

/** Came at 0, with a lifetime of a minute, and allows what is said. */
const kept = (control: string, more: Partial<KeptTimes> = {}): KeptTimes => ({
  receivedAt: 0,
  ageOnArrivalMs: 0,
  lifetimeMs: 60_000,
  ...allowedBy(parseCacheControl(control), 0),
  ...more,
});

/** What is done with it at an age, for a request that says this; null: it says nothing. */
function reused(control: string, atS: number, asked: string | null): string {
  const wishes = asked === null ? null : parseCacheControl(asked);
  const reuse = reuseOf(kept(control), wishes, atS * 1000);
  if (reuse.kind === 'ask') return `ask: ${reuse.why}`;
  return reuse.kind === 'stale' && reuse.refresh ? 'stale, and refreshed' : reuse.kind;
}

describe('what is kept', () => {
  it('ages from what it was when it came (RFC 9111 4.2.3)', () => {
    const old = kept('', { receivedAt: 5_000, ageOnArrivalMs: 30_000 });
    expect([ageMsOf(old, 5_000), ageMsOf(old, 6_000), ttlMsOf(old, 6_000)]).toEqual([
      30_000, 31_000, 29_000,
    ]);
  });

  it.each([
    ['4.2: is fresh before its lifetime ends', '', 59.9, null, 'fresh'],
    ['4.2: is stale at its end', '', 60, null, 'ask: stale'],
    ['5.2.2.4: is always asked about with no-cache', 'no-cache', 1, null, 'ask: stale'],
    [
      '5.2.2.4: … also where the client takes what is stale',
      'no-cache',
      1,
      'max-stale',
      'ask: stale',
    ],
    ['5.2.2.4: is used with no-cache for some fields', 'no-cache="a"', 1, null, 'fresh'],
    ['5.2.1.4: is asked about when the client says no-cache', '', 1, 'no-cache', 'ask: request'],
    ['5.2.1.1: is used when it is young enough for the client', '', 5, 'max-age=5', 'fresh'],
    ['5.2.1.1: is asked about when it is not', '', 5.1, 'max-age=5', 'ask: request'],
    ['5.2.1.1: is asked about when the client reloads', '', 0.1, 'max-age=0', 'ask: request'],
    ['5.2.1.3: is used when it stays fresh long enough', '', 50, 'min-fresh=10', 'fresh'],
    ['5.2.1.3: is asked about when it does not', '', 51, 'min-fresh=10', 'ask: request'],
    ['5.2.1.2: is used stale when the client takes it', '', 69, 'max-stale=10', 'stale'],
    ['5.2.1.2: is asked about when it is too stale', '', 70, 'max-stale=10', 'ask: stale'],
    ['5.2.1.2: is used however stale when the client says no bound', '', 9e5, 'max-stale', 'stale'],
    [
      '5.2.1.2: is not used stale where it is too old',
      '',
      69,
      'max-stale=10, max-age=65',
      'ask: request',
    ],
    [
      '5.2.2.2: is not used stale with must-revalidate',
      'must-revalidate',
      61,
      'max-stale',
      'ask: stale',
    ],
    ['5.2.2.2: … but is while it is fresh', 'must-revalidate', 59, null, 'fresh'],
    [
      '5.2.2.8: is not used stale with proxy-revalidate',
      'proxy-revalidate',
      61,
      'max-stale',
      'ask: stale',
    ],
    ['5.2.2.10: is not used stale with s-maxage', 's-maxage=60', 61, 'max-stale', 'ask: stale'],
    [
      '5861 3: is used while it is asked about',
      'stale-while-revalidate=10',
      69,
      null,
      'stale, and refreshed',
    ],
    ['5861 3: is not after that', 'stale-while-revalidate=10', 70, null, 'ask: stale'],
    [
      '5861 3: is with s-maxage, where the app says so',
      's-maxage=60, stale-while-revalidate=10',
      69,
      null,
      'stale, and refreshed',
    ],
    [
      '5861 3: is not with must-revalidate',
      'must-revalidate, stale-while-revalidate=10',
      61,
      null,
      'ask: stale',
    ],
    [
      '5861 3: is not for who says how old it may be',
      'stale-while-revalidate=10',
      61,
      'max-age=99',
      'ask: stale',
    ],
    ['8246 2: is used for a reload while it is fresh', 'immutable', 5, 'max-age=0', 'fresh'],
    ['8246 2: is asked about when the client insists', 'immutable', 5, 'no-cache', 'ask: request'],
    ['8246 2: is stale as all else is', 'immutable', 61, 'max-age=0', 'ask: request'],
  ])('%s', (_, control, atS, asked, expected) => {
    expect(reused(control, atS, asked)).toBe(expected);
  });

  it('tells what is left of its lifetime', () => {
    expect(reuseOf(kept(''), null, 50_000)).toEqual({ kind: 'fresh', ttlMs: 10_000 });
    expect(reuseOf(kept(''), null, 65_000)).toMatchObject({ ttlMs: -5_000 });
  });

  it('may be stale as long as the rule says where the app says nothing', () => {
    const allowed = (control: string) =>
      allowedBy(parseCacheControl(control), 7).staleWhileRevalidateMs;
    expect([allowed(''), allowed('stale-while-revalidate=0')]).toEqual([7_000, 0]);
  });
});

describe('what is kept, when the app cannot answer (RFC 5861 4, RFC 9111 4.2.4)', () => {
  it.each([
    ['does, stale, as long as the app says', 'stale-if-error=10', 69, true],
    ['does not after that, whatever the rule says', 'stale-if-error=10', 70, false],
    ['does as long as the rule says where the app says nothing', '', 89, true],
    ['does not after that', '', 90, false],
    ['does not where the app forbids it', 'stale-if-error=0', 61, false],
    ['does not with must-revalidate', 'must-revalidate, stale-if-error=10', 61, false],
    ['does not with proxy-revalidate', 'proxy-revalidate', 61, false],
    ['does not with s-maxage', 's-maxage=60', 61, false],
    ['does with s-maxage where the app says so', 's-maxage=60, stale-if-error=10', 61, true],
    ['does not with no-cache', 'no-cache, stale-if-error=10', 1, false],
    ['does while it is fresh, whatever it says', 'must-revalidate', 1, true],
  ])('%s: %s at %s s: %s', (_, control, atS, expected) => {
    expect(mayAnswerForError(kept(control), 30_000, atS * 1000)).toBe(expected);
  });
});
