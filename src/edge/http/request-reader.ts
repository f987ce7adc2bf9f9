import type { Limits } from '../limits.ts';
import { CR, LF } from './characters.ts';
import { latin1 } from './latin1.ts';
import { type Refusal, refusals } from './refusal.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';
import { earlyRefusal } from './request-line.ts';

const HEAD_END = '\r\n\r\n';
const EMPTY_LINE_BYTES = 2;

/** What a client has sent and nobody has used yet, and the request heads in it. */
export class RequestReader {
  /** Null for none. */
  held: Buffer | null = null;
  /** Of a head that is not all here: so much was looked at already. */
  private seenBytes = 0;
  private emptyLineSkipped = false;
  /** What is held lies in a buffer that is read into again. */
  private borrowed = false;
  private readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** @param bytes change when this turn is over: `own` what is still held then */
  add(bytes: Buffer): void {
    this.borrowed = this.held === null;
    this.held = this.held === null ? bytes : Buffer.concat([this.held, bytes]);
  }

  /** Keeps what is held beyond the read that brought it. */
  own(): void {
    if (this.borrowed && this.held !== null) this.held = Buffer.from(this.held);
    this.borrowed = false;
  }

  /** Marks the first bytes of what is held as used. */
  consume(sizeBytes: number): void {
    if (this.held === null) return;
    this.held = sizeBytes >= this.held.length ? null : this.held.subarray(sizeBytes);
  }

  /** All that is held, which is not held any more. */
  take(): Buffer | null {
    const { held } = this;
    this.held = null;
    return held;
  }

  /** The beginning of a head is here. */
  get headBegun(): boolean {
    return this.seenBytes > 0;
  }

  /** The next request; null when its head is not all here. */
  next(): RequestHead | Refusal | null {
    this.skipEmptyLine();
    const { held } = this;
    if (held === null) return null;
    const searchFrom = Math.max(0, this.seenBytes - HEAD_END.length);
    const end = held.indexOf(HEAD_END, searchFrom, 'latin1');
    if (end === -1 || end > this.limits.headBytes) return this.lookAtPart(held, end !== -1);
    const head = parseRequestHead(latin1(held, 0, end + HEAD_END.length), this.limits, held);
    this.seenBytes = 0;
    this.emptyLineSkipped = false;
    if ('headBytes' in head) this.consume(head.headBytes);
    return head;
  }

  /** Clients used to send one behind a POST. */
  private skipEmptyLine(): void {
    const { held } = this;
    if (held === null || this.emptyLineSkipped || held[0] !== CR || held[1] !== LF) return;
    this.emptyLineSkipped = true;
    this.seenBytes = 0;
    this.consume(EMPTY_LINE_BYTES);
  }

  private lookAtPart(held: Buffer, isWhole: boolean): Refusal | null {
    const { headBytes } = this.limits;
    const text = latin1(held, 0, Math.min(held.length, headBytes));
    const early = earlyRefusal(text, this.seenBytes, this.limits);
    this.seenBytes = held.length;
    if (early !== null) return early;
    return isWhole || held.length > headBytes ? refusals.headTooLarge : null;
  }
}
