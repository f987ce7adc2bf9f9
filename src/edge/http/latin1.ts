/** In Node since its beginning, and in none of its type declarations. */
interface Latin1Bytes {
  latin1Slice(start: number, end: number): string;
}

/** A part of some bytes as text, one character a byte: half the cost of `toString` for a head. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & Latin1Bytes).latin1Slice(start, Math.min(end, bytes.length));
}

/** The same text in one piece of its own: what is made of parts keeps them all alive. */
export function flat(text: string): string {
  return latin1(Buffer.from(text, 'latin1'), 0, text.length);
}
