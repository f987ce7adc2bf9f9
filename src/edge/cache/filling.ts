import type { BodySink } from '../http/body-reader.ts';
import { latin1 } from '../http/latin1.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { DiskWriter } from './disk/disk-store.ts';
import { TEXT_BODY_BYTES } from './kept-response.ts';

/** What has come and not gone yet may be so much before the app has to wait. */
const MOST_AHEAD_BYTES = 512 * 1024;

/** Of what has gone to the disk as well, so much stays for those who read along. */
const HELD_BYTES = 1024 * 1024;
/** What the disk has yet to take may be so much. */
const MOST_PENDING_BYTES = 8 * 1024 * 1024;
const READ_BACK_BYTES = 256 * 1024;

/** Somebody who reads a body while it comes. */
export interface BodyReaderOfMany {
  /** So much of it has been taken. */
  readonly position: number;
}

/**
 * An app's answer while it comes. What is to be kept is held whole, or written to the disk where it
 * is too large for memory: no reader has to wait for another. What is not kept is held until the
 * slowest has it.
 */
export class Filling implements BodySink {
  readonly head: ResponseHead;
  sizeBytes = 0;
  isWhole = false;
  /** Of a whole one: lines for whoever asked first, and kept for nobody. */
  trailers = '';
  /** Where it is too large for memory. */
  spill: DiskWriter | null = null;
  private readonly mostBytes: number;
  private readonly makeSpill: () => DiskWriter | null;
  private isHeld: boolean;
  private chunks: Buffer[] = [];
  /** Where the first chunk begins. */
  private heldFrom = 0;
  private hasSpillEnded = false;
  private isReleased = false;

  /**
   * @param mostBytes of what memory holds
   * @param makeSpill begins to write to the disk what is larger; null: it is not kept then
   */
  constructor(
    head: ResponseHead,
    holds: boolean,
    mostBytes: number,
    makeSpill: () => DiskWriter | null,
  ) {
    this.head = head;
    this.isHeld = holds;
    this.mostBytes = mostBytes;
    this.makeSpill = makeSpill;
  }

  /** All of it is held or on disk, to be kept. */
  get holds(): boolean {
    return this.isHeld && this.spill?.hasGivenUp !== true;
  }

  data(bytes: Buffer, start: number, end: number): void {
    const chunk = Buffer.from(bytes.subarray(start, end));
    this.chunks.push(chunk);
    this.sizeBytes += chunk.length;
    if (this.spill !== null) this.spill.write(chunk);
    else if (this.isHeld && this.sizeBytes > this.mostBytes) this.spillOver();
  }

  private spillOver(): void {
    this.spill = this.makeSpill();
    this.isHeld = this.spill !== null;
    for (const chunk of this.chunks) this.spill?.write(chunk);
  }

  /** What has come from there on, or some of it; null: nothing yet. `gone`: it is on disk alone. */
  from(position: number): Buffer | 'gone' | null {
    let at = this.heldFrom;
    if (position < at) return 'gone';
    for (const chunk of this.chunks) {
      if (position < at + chunk.length) return chunk.subarray(position - at);
      at += chunk.length;
    }
    return null;
  }

  /** From the disk, what a slow reader has not had. */
  async readBack(position: number): Promise<Buffer> {
    return (await this.spill?.read(position, READ_BACK_BYTES)) ?? Buffer.alloc(0);
  }

  /** Lets go of what need not be held. @returns whether the app has to wait */
  trim(readers: Iterable<BodyReaderOfMany>): boolean {
    const { spill } = this;
    if (spill !== null && !spill.hasGivenUp) {
      this.letGoUpTo(Math.min(this.sizeBytes - HELD_BYTES, spill.writtenBytes));
      return spill.pendingBytes > MOST_PENDING_BYTES;
    }
    if (this.holds) return false;
    // What the disk has taken before it gave up can be read back; the rest is here.
    let slowest = this.sizeBytes;
    for (const { position } of readers) slowest = Math.min(slowest, position);
    this.letGoUpTo(slowest);
    return this.sizeBytes - slowest > MOST_AHEAD_BYTES;
  }

  private letGoUpTo(position: number): void {
    let [first] = this.chunks;
    while (first !== undefined && this.heldFrom + first.length <= position) {
      this.chunks.shift();
      this.heldFrom += first.length;
      [first] = this.chunks;
    }
  }

  /** @param head of what is on disk; null: it is of no use @returns whether it is kept there */
  async endSpill(head: string | null): Promise<boolean> {
    const { spill } = this;
    if (spill === null) return false;
    if (head === null) spill.abandon();
    const isKept = head !== null && (await spill.finish(head));
    this.hasSpillEnded = true;
    this.closeSpill();
    return isKept;
  }

  /** Nobody reads it any more. */
  release(): void {
    this.isReleased = true;
    this.closeSpill();
  }

  private closeSpill(): void {
    if (this.isReleased && (this.hasSpillEnded || !this.holds)) this.spill?.close();
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
