import type { BodySink } from '../http/body-reader.ts';
import { latin1 } from '../http/latin1.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { TEXT_BODY_BYTES } from './kept-response.ts';

/** What has come and not gone yet may be so much before the app has to wait. */
const MOST_AHEAD_BYTES = 512 * 1024;

/** Somebody who reads a body while it comes. */
export interface BodyReaderOfMany {
  /** So much of it has been taken. */
  readonly position: number;
}

/**
 * An app's answer while it comes. What is to be kept is held whole: no reader has to wait for
 * another. What is not is held until the slowest has it.
 */
export class Filling implements BodySink {
  readonly head: ResponseHead;
  /** All of it is held, to be kept. */
  holds: boolean;
  sizeBytes = 0;
  isWhole = false;
  private readonly mostBytes: number;
  private chunks: Buffer[] = [];
  /** Where the first chunk begins. */
  private heldFrom = 0;

  /** @param mostBytes of what is held; more than that is not kept */
  constructor(head: ResponseHead, holds: boolean, mostBytes: number) {
    this.head = head;
    this.holds = holds;
    this.mostBytes = mostBytes;
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
    this.sizeBytes += end - start;
    if (this.sizeBytes > this.mostBytes) this.holds = false;
  }

  /** What has come from there on, or some of it; null: nothing yet. */
  from(position: number): Buffer | null {
    let at = this.heldFrom;
    for (const chunk of this.chunks) {
      if (position < at + chunk.length) return chunk.subarray(position - at);
      at += chunk.length;
    }
    return null;
  }

  /** Lets go of what all have. @returns whether the app has to wait */
  trim(readers: Iterable<BodyReaderOfMany>): boolean {
    if (this.holds) return false;
    let slowest = this.sizeBytes;
    for (const { position } of readers) slowest = Math.min(slowest, position);
    let [first] = this.chunks;
    while (first !== undefined && this.heldFrom + first.length <= slowest) {
      this.chunks.shift();
      this.heldFrom += first.length;
      [first] = this.chunks;
    }
    return this.sizeBytes - slowest > MOST_AHEAD_BYTES;
  }

  /** As it is kept. */
  body(): string | Buffer {
    const { sizeBytes } = this;
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    let at = 0;
    for (const chunk of this.chunks) at += chunk.copy(bytes, at);
    return sizeBytes <= TEXT_BODY_BYTES ? latin1(bytes, 0, sizeBytes) : bytes;
  }
}
