import { type ByteRange, rangeOf } from './byte-ranges.ts';
import { freshened } from './freshening.ts';
import type { Kept } from './kept-response.ts';
import type { CacheRequestFields } from './request-fields.ts';
import { continues } from './validators.ts';

/**
 * Parts of answers (RFC 9111 sections 3.3 and 3.4): one run of bytes is kept, which grows as parts
 * come that touch it, until it is the whole.
 */

/** Where the body that is kept lies in the whole. */
export interface PartOfWhole {
  start: number;
  /** Of the whole. */
  sizeBytes: number;
}

/** A response of which a part is kept. */
export type KeptPart = Kept & { part: PartOfWhole };

export const isPart = (kept: Kept): kept is KeptPart => kept.part !== null;

/** Whether it has all that a request asks for. */
export function hasPart(kept: KeptPart, asked: CacheRequestFields, now: number): boolean {
  if (!continues(asked.ifRange, kept, now)) return false;
  const range = rangeOf(asked.range, kept.part.sizeBytes);
  if (range.kind !== 'part') return false;
  const { start, end } = extentOf(kept);
  return start <= range.start && range.end <= end;
}

/**
 * Both as one, where they touch and are of one body, which a strong tag says; null where they do not.
 * What the newer says of it counts.
 */
export function combined(older: KeptPart, newer: KeptPart): Kept | null {
  const [one, other] = [extentOf(older), extentOf(newer)];
  const { sizeBytes } = newer.part;
  const isSame = older.etag === newer.etag && older.part.sizeBytes === sizeBytes;
  if (!isSame || one.start > other.end || other.start > one.end) return null;
  const start = Math.min(one.start, other.start);
  const body = Buffer.allocUnsafeSlow(Math.max(one.end, other.end) - start);
  bytesOf(older).copy(body, one.start - start);
  bytesOf(newer).copy(body, other.start - start);
  const kept = {
    ...newer,
    body,
    bodyBytes: body.length,
    fields: freshened(older.fields, newer.fields),
    askedUnder: Math.min(older.askedUnder, newer.askedUnder),
  };
  if (body.length === sizeBytes) return { ...kept, status: 200, part: null };
  return { ...kept, part: { start, sizeBytes } };
}

const extentOf = ({ part: { start }, bodyBytes }: KeptPart): ByteRange => ({
  start,
  end: start + bodyBytes,
});

const bytesOf = ({ body }: Kept): Buffer =>
  typeof body === 'string' ? Buffer.from(body, 'latin1') : (body ?? Buffer.alloc(0));
