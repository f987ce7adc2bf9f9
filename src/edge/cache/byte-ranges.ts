/** Which part of a representation is meant (RFC 9110 section 14). */

/** The end is the first byte that does not belong to it. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * whole          there is nothing asked, or nothing that has to be heeded
 * part           answered with 206
 * unsatisfiable  answered with 416
 */
export type RangeAsked =
  | { kind: 'whole' }
  | ({ kind: 'part' } & ByteRange)
  | { kind: 'unsatisfiable' };

const WHOLE: RangeAsked = { kind: 'whole' };
const UNSATISFIABLE: RangeAsked = { kind: 'unsatisfiable' };

/** More than this many are nobody's real need (section 17.15). */
const MOST_RANGES = 16;
/** No real Range is so long. */
const MOST_CHARACTERS = 512;
const BYTES = /^bytes[ \t]*=/i;
const SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * What a Range means for a representation of a size. Several ranges are answered when they are one
 * without the gaps; else with the whole, as section 14.2 lets a server: nobody but attackers asks for
 * `multipart/byteranges`, and nginx's cache and Varnish do not make them either.
 */
export function rangeOf(range: string | null, sizeBytes: number): RangeAsked {
  if (range === null || range.length > MOST_CHARACTERS) return WHOLE;
  const unit = BYTES.exec(range);
  if (unit === null) return WHOLE;
  const specs = range
    .slice(unit[0].length)
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0 || specs.length > MOST_RANGES) return WHOLE;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const read = rangeOfSpec(spec, sizeBytes);
    if (read === 'invalid') return WHOLE;
    if (read !== 'unsatisfiable') ranges.push(read);
  }
  if (ranges.length === 0) return UNSATISFIABLE;
  const joined = joinRanges(ranges);
  const [only] = joined;
  // Of nothing there is no part, although its last five bytes may be asked for (section 14.1.2).
  return only === undefined || joined.length > 1 || only.end === only.start
    ? WHOLE
    : { kind: 'part', ...only };
}

function rangeOfSpec(spec: string, sizeBytes: number): ByteRange | 'invalid' | 'unsatisfiable' {
  const match = SPEC.exec(spec);
  if (match === null) return 'invalid';
  const [, first, last = '', suffix] = match;
  if (suffix !== undefined) {
    const start = Math.max(0, sizeBytes - Number(suffix));
    return Number(suffix) === 0 ? 'unsatisfiable' : { start, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'invalid';
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}

/** In order, and those that overlap or touch as one. */
export function joinRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const joined: ByteRange[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

/** The value of a Content-Range. */
export const contentRange = ({ start, end }: ByteRange, sizeBytes: number): string =>
  `bytes ${start}-${end - 1}/${sizeBytes}`;

/** The same where nothing of what was asked for is there. */
export const unsatisfiedRange = (sizeBytes: number): string => `bytes */${sizeBytes}`;

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i;

/** @returns null when it is none of a part of bytes: whoever gets such a 206 must not use it */
export function readContentRange(value: string): (ByteRange & { sizeBytes: number | null }) | null {
  const match = CONTENT_RANGE.exec(value);
  if (match === null) return null;
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  const sizeBytes = match[3] === '*' ? null : Number(match[3]);
  const isValid = start < end && (sizeBytes === null || end <= sizeBytes);
  return isValid ? { start, end, sizeBytes } : null;
}
