import {
  COLON,
  CR,
  fieldValueTable,
  HT,
  LF,
  SP,
  tokenTable,
  UNDERSCORE_MARK,
} from './characters.ts';

export type FieldProblem = 'malformed' | 'control-character' | 'folded';

/** Names the edge interprets, or removes, by what it takes to rule the others out quickly. */
const INTERPRETED_NAMES = [
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
];
const NOTHING = new Uint8Array();
/** In no table, as what stands behind the end. */
const NUL = 0;
/** Anything may follow these initials: `proxy-…` and `x-…`. */
const LOWER_P = 0x70;
const LOWER_X = 0x78;
/** No name that is interpreted is so long. */
const MAX_NAME = 32;
/** By initial and length, which tell the interpreted names apart. */
const namesByShape: string[] = Array.from({ length: 256 * MAX_NAME }, () => '');
for (const name of INTERPRETED_NAMES) namesByShape[shapeOf(name.charCodeAt(0), name.length)] = name;

function shapeOf(initial: number, length: number): number {
  return initial * MAX_NAME + (length < MAX_NAME ? length : 0);
}

/**
 * Walks the header lines of a head, checking every byte once, in the bytes it came in: that takes half
 * the time of looking at characters. It is reused for every head, so that nothing is allocated for a
 * line that nobody interprets.
 */
export class FieldScanner {
  lineStart = 0;
  lineEnd = 0;
  underscored = false;
  /** After `next` returned false: what was wrong, or null at the empty line that ends the head. */
  problem: FieldProblem | null = null;
  /** Where the next line begins. At the end of the head: behind its empty line. */
  position = 0;
  private text = '';
  private bytes: Uint8Array = NOTHING;
  private nameEnd = 0;

  /** @param bytes of the text; there may be more behind it */
  start(text: string, position: number, bytes: Uint8Array = Buffer.from(text, 'latin1')): void {
    this.text = text;
    this.bytes = bytes;
    this.position = position;
    this.problem = null;
  }

  /** Moves to the next line. False at the end of the head and at the first wrong byte. */
  next(): boolean {
    const { bytes } = this;
    const start = this.position;
    let i = start;
    let marks = 0;
    let mark = tokenTable[bytes[i] ?? NUL];
    while (mark) {
      marks |= mark;
      i += 1;
      mark = tokenTable[bytes[i] ?? NUL];
    }
    if (i === start || bytes[i] !== COLON) return this.stop(i);
    this.nameEnd = i;
    i += 1;
    while (fieldValueTable[bytes[i] ?? NUL]) i += 1;
    if (bytes[i] !== CR || bytes[i + 1] !== LF) {
      return this.fail('control-character');
    }
    this.underscored = (marks & UNDERSCORE_MARK) !== 0;
    this.lineStart = start;
    this.lineEnd = i;
    this.position = i + 2;
    return true;
  }

  /** The line's name in lower case when the edge may have to do with it, else an empty text. */
  interpretedName(): string {
    const { bytes, lineStart } = this;
    const initial = (bytes[lineStart] ?? NUL) | 0x20;
    if (initial === LOWER_P || initial === LOWER_X) return this.name();
    const candidate = namesByShape[shapeOf(initial, this.nameEnd - lineStart)] ?? '';
    for (let i = 1; i < candidate.length; i += 1) {
      // Of the characters of a token, only the two cases of a letter become the same by this.
      if (((bytes[lineStart + i] ?? NUL) | 0x20) !== candidate.charCodeAt(i)) return '';
    }
    return candidate;
  }

  name(): string {
    return this.text.slice(this.lineStart, this.nameEnd).toLowerCase();
  }

  /** The line's value without the white space around it. */
  value(): string {
    const { bytes } = this;
    let start = this.nameEnd + 1;
    let end = this.lineEnd;
    while (start < end && isBlank(bytes[start])) start += 1;
    while (end > start && isBlank(bytes[end - 1])) end -= 1;
    return this.text.slice(start, end);
  }

  private stop(at: number): false {
    const code = this.bytes[at] ?? NUL;
    const isLineEnd = code === CR && this.bytes[at + 1] === LF;
    const isFirst = at === this.position;
    if (isFirst && isLineEnd) {
      this.position = at + 2;
      return false;
    }
    if (isFirst && isBlank(code)) return this.fail('folded');
    return this.fail(isLineEnd || fieldValueTable[code] ? 'malformed' : 'control-character');
  }

  private fail(problem: FieldProblem): false {
    this.problem = problem;
    return false;
  }
}

const isBlank = (code: number | undefined): boolean => code === SP || code === HT;
