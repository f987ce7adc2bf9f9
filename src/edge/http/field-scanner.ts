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
 * Walks the header lines of a head, checking every byte once. It is reused for every head, so that
 * nothing is allocated for a line that nobody interprets.
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
  private nameEnd = 0;

  start(text: string, position: number): void {
    this.text = text;
    this.position = position;
    this.problem = null;
  }

  /** Moves to the next line. False at the end of the head and at the first wrong byte. */
  next(): boolean {
    const text = this.text;
    const start = this.position;
    let i = start;
    let marks = 0;
    let mark = tokenTable[text.charCodeAt(i)];
    while (mark) {
      marks |= mark;
      i += 1;
      mark = tokenTable[text.charCodeAt(i)];
    }
    if (i === start || text.charCodeAt(i) !== COLON) return this.stop(i);
    this.nameEnd = i;
    i += 1;
    while (fieldValueTable[text.charCodeAt(i)]) i += 1;
    if (text.charCodeAt(i) !== CR || text.charCodeAt(i + 1) !== LF) {
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
    const { text, lineStart } = this;
    const initial = text.charCodeAt(lineStart) | 0x20;
    if (initial === LOWER_P || initial === LOWER_X) return this.name();
    const candidate = namesByShape[shapeOf(initial, this.nameEnd - lineStart)] ?? '';
    for (let i = 1; i < candidate.length; i += 1) {
      // Of the characters of a token, only the two cases of a letter become the same by this.
      if ((text.charCodeAt(lineStart + i) | 0x20) !== candidate.charCodeAt(i)) return '';
    }
    return candidate;
  }

  name(): string {
    return this.text.slice(this.lineStart, this.nameEnd).toLowerCase();
  }

  /** The line's value without the white space around it. */
  value(): string {
    const text = this.text;
    let start = this.nameEnd + 1;
    let end = this.lineEnd;
    while (start < end && isBlank(text.charCodeAt(start))) start += 1;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
    return text.slice(start, end);
  }

  private stop(at: number): false {
    const code = this.text.charCodeAt(at);
    const isLineEnd = code === CR && this.text.charCodeAt(at + 1) === LF;
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

const isBlank = (code: number): boolean => code === SP || code === HT;
