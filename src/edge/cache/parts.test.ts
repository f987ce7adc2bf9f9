import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kept } from './kept-response.ts';
import { combined, hasPart, isPart, type KeptPart } from './parts.ts';
import { readRequestFields } from './request-fields.ts';

const NOW = Date.UTC(2026, 5, 15);
const WHOLE = 'abcdefghij';

/** The bytes of the whole from there to there. */
const part = (start: number, end: number, more: Partial<KeptPart> = {}): KeptPart => ({
  status: 206,
  fields: '',
  body: WHOLE.slice(start, end),
  bodyBytes: end - start,
  part: { start, sizeBytes: WHOLE.length },
  tags: [],
  path: '/',
  target: '/',
  askedUnder: 0,
  diskId: null,
  etag: '"a"',
  lastModified: null,
  date: null,
  receivedAt: 0,
  ageOnArrivalMs: 0,
  lifetimeMs: 60_000,
  alwaysAsk: false,
  neverStale: false,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: null,
  immutable: false,
  ...more,
});

const bodyOf = (kept: Kept | null): string | undefined =>
  kept?.body === null ? undefined : kept?.body.toString('latin1');

describe('parts of one body (RFC 9111 3.4)', () => {
  it.each([
    [part(0, 3), part(3, 5), 'abcde'],
    [part(3, 5), part(0, 3), 'abcde'],
    [part(0, 4), part(2, 6), 'abcdef'],
    [part(2, 8), part(4, 5), 'cdefgh'],
    [part(4, 5), part(2, 8), 'cdefgh'],
    [part(0, 3), part(4, 5), undefined],
    [part(0, 3), part(3, 5, { etag: '"b"' }), undefined],
    [part(0, 3), part(3, 5, { part: { start: 3, sizeBytes: 11 } }), undefined],
  ])('are one where they touch: case %#', (one, other, body) => {
    expect(bodyOf(combined(one, other))).toBe(body);
  });

  it('are the whole when all of it is there', () => {
    const whole = combined(part(0, 6), part(6, 10));
    expect(whole).toMatchObject({ status: 200, part: null, bodyBytes: 10 });
    expect(bodyOf(whole)).toBe(WHOLE);
  });

  it('are what the newer says, and have been asked for as early as the older', () => {
    const older = part(0, 3, { fields: 'X-A: 1\r\nX-B: 1\r\n', askedUnder: 1, lifetimeMs: 1 });
    const newer = part(3, 5, { fields: 'X-A: 2\r\n', askedUnder: 2, lifetimeMs: 2 });
    const both = { fields: 'X-B: 1\r\nX-A: 2\r\n', askedUnder: 1, lifetimeMs: 2 };
    expect(combined(older, newer)).toMatchObject(both);
  });

  it('are never other bytes than those of the whole', () => {
    const extent = fc
      .tuple(fc.nat(9), fc.nat(9))
      .map(([a, b]) => part(Math.min(a, b), Math.max(a, b) + 1));
    fc.assert(
      fc.property(fc.array(extent, { minLength: 1, maxLength: 8 }), ([first, ...others]) => {
        let kept: Kept = first ?? part(0, 1);
        for (const other of others) {
          if (isPart(kept)) kept = combined(kept, other) ?? other;
        }
        const start = kept.part?.start ?? 0;
        expect(bodyOf(kept)).toBe(WHOLE.slice(start, start + kept.bodyBytes));
        expect(kept.part === null).toBe(kept.bodyBytes === WHOLE.length && kept.status === 200);
      }),
    );
  });
});

describe('a part', () => {
  it.each([
    ['bytes=2-4', null, true],
    ['bytes=3-3', null, true],
    ['bytes=2-3,4-4', null, true],
    ['bytes=1-4', null, false],
    ['bytes=2-5', null, false],
    ['bytes=2-', null, false],
    ['bytes=-7', null, false],
    ['bytes=20-', null, false],
    ['bytes=x', null, false],
    ['bytes=2-4', '"a"', true],
    ['bytes=2-4', '"b"', false],
  ])('of the bytes from 2 to 4 has %s for who goes on with %s: %s', (range, ifRange, expected) => {
    const more = ifRange === null ? '' : `If-Range: ${ifRange}\r\n`;
    const asked = readRequestFields(`Range: ${range}\r\n${more}`);
    expect(asked && hasPart(part(2, 5), asked, NOW)).toBe(expected);
  });

  it('of the end has what is asked for from there', () => {
    const asked = readRequestFields('Range: bytes=-3\r\n');
    expect(asked && hasPart(part(7, 10), asked, NOW)).toBe(true);
  });
});
