/**
 * What values take of memory, and how they come to hold no more than that. A part of a text keeps all
 * of it alive, and a text made of parts keeps each of them: what is kept for long has to be its own.
 * Sizes are those of V8 on 64 bits, and bench/cache-eviction.ts --churn holds them to what is measured.
 */

/** Header and length, and half a word for what fills up the last one. */
const TEXT_BYTES = 16 + 4;
/** The object of a Buffer, that of its ArrayBuffer, and what stands for it outside of the heap. */
const BUFFER_BYTES = 256;
/** What says where a part begins and ends. */
const TEXT_PART_BYTES = 32;
const BUFFER_PART_BYTES = 104;

/** The same text in one piece of its own. */
export function ownText(text: string): string {
  const encoding = isOneByte(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}

/** The same body, of which nothing else is kept. */
export function ownBody(body: string | Buffer | null): string | Buffer | null {
  if (typeof body === 'string') return ownText(body);
  if (body === null || body.length === body.buffer.byteLength) return body;
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
}

/** Null takes nothing: it stands in a field that counts for itself. */
export function textMemoryBytes(text: string | null): number {
  if (text === null) return 0;
  return TEXT_BYTES + text.length * (isOneByte(text) ? 1 : 2);
}

/** Of one character a byte, or a Buffer that is no part of another. */
export function bodyMemoryBytes(body: string | Buffer | null): number {
  if (body === null) return 0;
  return (typeof body === 'string' ? TEXT_BYTES : BUFFER_BYTES) + body.length;
}

/** Of what lies in something that is counted itself. */
export const partBytes = (part: string | Buffer | null): number =>
  typeof part === 'string' ? TEXT_PART_BYTES : BUFFER_PART_BYTES;

const isOneByte = (text: string): boolean => !/[^\0-\xff]/.test(text);
