import { constants, fstatSync, futimesSync, readSync, type Stats, statSync } from 'node:fs';
import type { Clock } from '../../../kernel/clock.ts';
import { Fault } from '../../../kernel/fault.ts';
import { closeDescriptor, openDescriptor, readFully } from './descriptor.ts';
import { type FileEnd, readEnd } from './file-end.ts';
import { BLOCK_BYTES, blockChecksum, type FileLayout } from './file-layout.ts';
import { READ_BYTES, type ReadBuffers } from './read-buffers.ts';

/** A file says so often that it is used, for whoever makes room. */
const TOUCH_PERIOD_MS = 5 * 60_000;
/** Kernels before 6.13 tell changes apart that are so far from each other, and no closer ones. */
const QUIET_MS = 1_000;
/** For so long a checked block is not checked again while its file has not been changed. */
const TRUST_MS = 10_000;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW;

export interface KeptFileContext {
  clock: Clock;
  buffers: ReadBuffers;
}

export const damaged = (path: string): Fault =>
  new Fault({
    code: 'cache-damaged',
    message: `the kept response in ${path} is not what was written`,
    subject: path,
    hint: 'it has been deleted; if this happens again, check the disk',
  });

/**
 * One kept response, open. Every block is checked against its checksum. What is read over and over
 * is cheaper: for a while, a block that has been checked is not checked again, if the system says
 * that the file has not been changed since; and it is in the system's memory, so that it is read at
 * once and not by way of another thread.
 */
export class KeptFile {
  readonly path: string;
  readonly head: string;
  readonly layout: FileLayout;
  readonly #context: KeptFileContext;
  readonly #descriptor: number;
  readonly #checksums: Uint32Array;
  /** As it was opened. */
  readonly #stats: Stats;
  /** All of the body, where it came with the end. */
  readonly #body: Buffer | null;
  /** Blocks that have been checked, of late. */
  #trusted: Uint8Array | null = null;
  #trustedUntilMs = 0;
  #users = 1;

  private constructor(
    path: string,
    descriptor: number,
    stats: Stats,
    end: FileEnd,
    context: KeptFileContext,
  ) {
    this.path = path;
    this.head = end.head;
    this.layout = end.layout;
    this.#checksums = end.checksums;
    this.#body = end.body;
    this.#descriptor = descriptor;
    this.#stats = stats;
    this.#context = context;
  }

  /**
   * @throws `cache-damaged`, the system's error (`ENOENT` where nothing is kept)
   */
  static async open(path: string, key: string, context: KeptFileContext): Promise<KeptFile> {
    const descriptor = await openDescriptor(path, READ_ONLY);
    try {
      const stats = touched(descriptor, context.clock.now());
      const end = await readEnd(descriptor, stats.size, key);
      if (end === null) throw damaged(path);
      return new KeptFile(path, descriptor, stats, end, context);
    } catch (thrown) {
      closeDescriptor(descriptor);
      throw thrown;
    }
  }

  get sizeBytes(): number {
    return this.layout.bodyBytes;
  }

  /** Its body has come along with its end. */
  get isReadWhole(): boolean {
    return this.#body !== null;
  }

  /** Whether it is still what lies there, as it was opened, and need not be touched. */
  get isCurrent(): boolean {
    const found = statSync(this.path, { throwIfNoEntry: false });
    return (
      found !== undefined &&
      found.ino === this.#stats.ino &&
      this.#isAsOpened(found) &&
      this.#context.clock.now() - found.mtimeMs < TOUCH_PERIOD_MS
    );
  }

  /** As `DiskResponse.read`. */
  async read(position: number, mostBytes: number): Promise<Buffer> {
    const { bodyBytes } = this.layout;
    const endPosition = Math.min(position + mostBytes, bodyBytes);
    if (position >= endPosition) return NOTHING;
    const first = Math.floor(position / BLOCK_BYTES);
    const behind = Math.min(Math.ceil(endPosition / BLOCK_BYTES), first + READ_BYTES / BLOCK_BYTES);
    const start = first * BLOCK_BYTES;
    const bytes = await this.#readBlocks(first, Math.min(behind * BLOCK_BYTES, bodyBytes) - start);
    return bytes.subarray(position - start, Math.min(endPosition - start, bytes.length));
  }

  /** Somebody else uses it too. */
  use(): void {
    this.#users += 1;
  }

  /** One of those who use it does not any more. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) closeDescriptor(this.#descriptor);
  }

  async #readBlocks(first: number, length: number): Promise<Buffer> {
    const start = first * BLOCK_BYTES;
    if (this.#body !== null) {
      const bytes = this.#body.subarray(start, start + length);
      this.#check(first, bytes);
      return bytes;
    }
    const bytes = this.#context.buffers.take(length);
    if (this.#isTrusted(first, length)) {
      const got = readSync(this.#descriptor, bytes, 0, length, start);
      // Whoever changes a file changes its time first: what was read before that is what was checked.
      if (got === length && this.#isAsOpened(fstatSync(this.#descriptor))) return bytes;
    }
    if ((await readFully(this.#descriptor, bytes, start)) < length) throw damaged(this.path);
    this.#check(first, bytes);
    this.#trust(first, length);
    return bytes;
  }

  #check(first: number, bytes: Buffer): void {
    for (let offset = 0, block = first; offset < bytes.length; offset += BLOCK_BYTES, block += 1) {
      const checksum = blockChecksum(
        this.layout.id,
        block,
        bytes.subarray(offset, offset + BLOCK_BYTES),
      );
      if (checksum !== this.#checksums[block]) throw damaged(this.path);
    }
  }

  #isTrusted(first: number, length: number): boolean {
    if (this.#trusted === null || this.#context.clock.monotonic() > this.#trustedUntilMs) {
      return false;
    }
    const behind = first + Math.ceil(length / BLOCK_BYTES);
    for (let block = first; block < behind; block += 1)
      if (this.#trusted[block] !== 1) return false;
    return true;
  }

  #trust(first: number, length: number): void {
    const { clock } = this.#context;
    if (clock.now() - this.#stats.ctimeMs < QUIET_MS) return;
    if (!this.#isAsOpened(fstatSync(this.#descriptor))) return;
    if (this.#trusted === null || clock.monotonic() > this.#trustedUntilMs) {
      this.#trusted = new Uint8Array(this.#checksums.length);
      this.#trustedUntilMs = clock.monotonic() + TRUST_MS;
    }
    this.#trusted.fill(1, first, first + Math.ceil(length / BLOCK_BYTES));
  }

  #isAsOpened({ ctimeMs, size }: Stats): boolean {
    return ctimeMs === this.#stats.ctimeMs && size === this.#stats.size;
  }
}

const NOTHING = Buffer.alloc(0);

/** What it is, as of now; its time of use is brought to the day where it is old. */
function touched(descriptor: number, nowMs: number): Stats {
  const stats = fstatSync(descriptor);
  if (nowMs - stats.mtimeMs < TOUCH_PERIOD_MS) return stats;
  futimesSync(descriptor, nowMs / 1_000, nowMs / 1_000);
  return fstatSync(descriptor);
}
