import { constants } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { Fault, systemCode } from '../../../kernel/fault.ts';
import { bytesOnDisk } from './account.ts';
import { closeDescriptor, openDescriptor, readFully, writeFully } from './descriptor.ts';
import type { DiskWriter } from './disk-store.ts';
import { BLOCK_BYTES, blockChecksum, blockSeed, encodeEnd } from './file-layout.ts';
import { damaged } from './kept-file.ts';
import { OWNER_ONLY } from './places.ts';
import { READ_BYTES, type ReadBuffers } from './read-buffers.ts';

/** So much is written at once, unless it is the end or somebody waits for it. */
const WRITE_BYTES = 256 * 1024;
const READ_WRITE_NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
const NOTHING = Buffer.alloc(0);

/** What is to be written. */
export interface Writing {
  key: string;
  head: string;
  /** Another than that of any other, unless the same is written once more. */
  id: string;
  /** Where it is written until it is whole. */
  temporaryPath: string;
  /** Where it is kept then. */
  path: string;
}

/** What a writer needs of those who look after all of them. */
export interface WriterHost {
  readonly buffers: ReadBuffers;
  /** Resolves when the directories are there. @throws the system's error */
  prepare(): Promise<void>;
  /** So much more waits to be written; negative: less. False: it is too much for all together. */
  addPending(bytes: number): boolean;
  /**
   * Accounts for what goes on the disk now. False: there is no room for it.
   *
   * @param sizeBytes of the file after it
   * @throws the system's error
   */
  addWritten(bytes: number, sizeBytes: number): boolean;
  onFailed(writing: Writing, thrown: unknown): void;
  onKept(writing: Writing): void;
  /** Nothing is done with it any more. */
  onClosed(writer: ResponseWriter): void;
}

/**
 * One response on its way to the disk: written aside, and renamed to its place when it is whole. It
 * is not synced: what a crash of the machine leaves of it does not have the right checksums.
 */
export class ResponseWriter implements DiskWriter {
  readonly #writing: Writing;
  readonly #host: WriterHost;
  #phase: 'open' | 'finishing' | 'kept' | 'given-up' = 'open';
  #descriptor: number | null = null;
  /** What is not on the disk, in order. */
  #queue: Buffer[] = [];
  #pendingBytes = 0;
  #givenBytes = 0;
  #writtenBytes = 0;
  /** Of the blocks that were given whole. */
  readonly #checksums: number[] = [];
  /** Of what was given of the next one. */
  #partChecksum: number;
  /** The same as of what is on the disk. */
  #writtenPartChecksum: number;
  #batch: Promise<void> | null = null;
  /** What is under way, and 1 until it is closed. */
  #users = 1;
  #isClosed = false;

  constructor(writing: Writing, host: WriterHost) {
    this.#writing = writing;
    this.#host = host;
    this.#partChecksum = blockSeed(this.id, 0);
    this.#writtenPartChecksum = this.#partChecksum;
  }

  get id(): string {
    return this.#writing.id;
  }

  get key(): string {
    return this.#writing.key;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get hasGivenUp(): boolean {
    return this.#phase === 'given-up';
  }

  write(bytes: Buffer): void {
    if (this.#phase !== 'open' || bytes.length === 0) return;
    this.#addChecksums(bytes);
    this.#queue.push(bytes);
    this.#givenBytes += bytes.length;
    this.#pendingBytes += bytes.length;
    if (!this.#host.addPending(bytes.length)) this.#giveUp();
    else if (this.#pendingBytes >= WRITE_BYTES) this.#startWriting();
  }

  async read(position: number, mostBytes: number): Promise<Buffer> {
    if (position >= this.#givenBytes || mostBytes === 0) return NOTHING;
    this.#users += 1;
    try {
      while (position >= this.#writtenBytes && !this.hasGivenUp) {
        this.#startWriting();
        await this.#batch;
      }
      return await this.#readWritten(position, mostBytes);
    } finally {
      this.#leave();
    }
  }

  async finish(head = this.#writing.head): Promise<boolean> {
    if (this.#phase !== 'open') return false;
    this.#phase = 'finishing';
    this.#users += 1;
    while (this.#batch !== null) await this.#batch;
    await this.#underWay(this.#writeEnd(head));
    this.#leave();
    return this.#isKept;
  }

  abandon(): void {
    if (this.#phase === 'open' || this.#phase === 'finishing') this.#giveUp();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.abandon();
    this.#leave();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#batch !== null) await this.#batch;
  }

  /** A getter, because it changes while something is waited for. */
  get #isKept(): boolean {
    return this.#phase === 'kept';
  }

  #addChecksums(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length; ) {
      const inBlock = (this.#givenBytes + offset) % BLOCK_BYTES;
      const part = bytes.subarray(offset, offset + BLOCK_BYTES - inBlock);
      this.#partChecksum = crc32(part, this.#partChecksum);
      offset += part.length;
      if (inBlock + part.length < BLOCK_BYTES) continue;
      this.#checksums.push(this.#partChecksum);
      this.#partChecksum = blockSeed(this.id, this.#checksums.length);
    }
  }

  #startWriting(): void {
    if (this.#batch === null && this.#queue.length > 0) void this.#underWay(this.#writeQueue());
  }

  /** One thing is written at a time; what came meanwhile is next. */
  #underWay(writing: Promise<void>): Promise<void> {
    this.#users += 1;
    this.#batch = writing
      .catch((thrown) => this.#fail(thrown))
      .finally(() => {
        this.#batch = null;
        if (this.#phase === 'open' && this.#pendingBytes >= WRITE_BYTES) this.#startWriting();
        this.#leave();
      });
    return this.#batch;
  }

  /** All that waits now. */
  async #writeQueue(): Promise<void> {
    const batch = this.#takeQueue();
    try {
      await this.#writeBehind(batch, batch.bytes);
    } finally {
      this.#noLongerPending(batch.bytes);
    }
  }

  /** What is left of the body and all that is behind it, in one go; then it is there for all. */
  async #writeEnd(head: string): Promise<void> {
    const rest = this.#takeQueue();
    try {
      const checksums = [...this.#checksums];
      if (this.#givenBytes % BLOCK_BYTES > 0) checksums.push(this.#partChecksum);
      const end = encodeEnd(this.id, this.#writing.key, head, this.#givenBytes, checksums);
      const onDisk = bytesOnDisk(this.#givenBytes + end.length) - this.#writtenBytes;
      await this.#writeBehind(rest, onDisk, end);
      if (this.hasGivenUp) return;
      await renamed(this.#writing.temporaryPath, this.#writing.path);
      // What has been given up meanwhile is nobody's any more.
      if (this.hasGivenUp) return await rm(this.#writing.path, { force: true });
      this.#phase = 'kept';
      this.#host.onKept(this.#writing);
    } finally {
      this.#noLongerPending(rest.bytes);
    }
  }

  #takeQueue(): Batch {
    const buffers = this.#queue;
    this.#queue = [];
    return { buffers, bytes: sizeOf(buffers), partChecksum: this.#partChecksum };
  }

  /** @param onDisk what it takes there */
  async #writeBehind(batch: Batch, onDisk: number, end: Buffer = NOTHING): Promise<void> {
    await this.#host.prepare();
    if (this.hasGivenUp) return;
    if (!this.#host.addWritten(onDisk, this.#writtenBytes + onDisk)) return this.#giveUp();
    const { temporaryPath } = this.#writing;
    this.#descriptor ??= await openDescriptor(temporaryPath, READ_WRITE_NEW, 0o600);
    await writeFully(this.#descriptor, [...batch.buffers, end], this.#writtenBytes);
    this.#writtenBytes += batch.bytes;
    this.#writtenPartChecksum = batch.partChecksum;
  }

  /** Up to the end of what is on the disk, at most. */
  async #readWritten(position: number, mostBytes: number): Promise<Buffer> {
    const written = this.#writtenBytes;
    const partChecksum = this.#writtenPartChecksum;
    if (position >= written || this.#descriptor === null) throw this.#notOnDisk();
    const first = Math.floor(position / BLOCK_BYTES);
    const start = first * BLOCK_BYTES;
    const wantedEnd = Math.ceil((position + mostBytes) / BLOCK_BYTES) * BLOCK_BYTES;
    const end = Math.min(wantedEnd, start + READ_BYTES, written);
    const bytes = this.#host.buffers.take(end - start);
    if ((await readFully(this.#descriptor, bytes, start)) < bytes.length) {
      throw damaged(this.#writing.temporaryPath);
    }
    for (let offset = 0, block = first; offset < bytes.length; offset += BLOCK_BYTES, block += 1) {
      const piece = bytes.subarray(offset, offset + BLOCK_BYTES);
      const whole = (block + 1) * BLOCK_BYTES <= written;
      const expected = whole ? this.#checksums[block] : partChecksum;
      if (blockChecksum(this.id, block, piece) !== expected) {
        throw damaged(this.#writing.temporaryPath);
      }
    }
    return bytes.subarray(position - start, Math.min(position + mostBytes, end) - start);
  }

  #notOnDisk(): Fault {
    return new Fault({
      code: 'cache-disk-failed',
      message: 'what was given to the disk is not there: it did not take it',
      subject: this.#writing.temporaryPath,
    });
  }

  #fail(thrown: unknown): void {
    if (!this.hasGivenUp) this.#host.onFailed(this.#writing, thrown);
    this.#giveUp();
  }

  /** What is on the disk can be read until it is closed. */
  #giveUp(): void {
    if (this.hasGivenUp || this.#isKept) return;
    this.#phase = 'given-up';
    this.#noLongerPending(this.#takeQueue().bytes);
  }

  #noLongerPending(bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#host.addPending(-bytes);
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    if (this.#descriptor !== null) closeDescriptor(this.#descriptor);
    // What cannot be removed now is when nobody of this process is left.
    if (!this.#isKept) rm(this.#writing.temporaryPath, { force: true }).catch(() => {});
    this.#host.onClosed(this);
  }
}

interface Batch {
  buffers: readonly Buffer[];
  bytes: number;
  /** Of what was given of the block that it ends in. */
  partChecksum: number;
}

const sizeOf = (buffers: readonly Buffer[]): number =>
  buffers.reduce((sum, { length }) => sum + length, 0);

/** Into a directory that is made where there is none yet. */
async function renamed(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
    await mkdir(dirname(to), { recursive: true, mode: OWNER_ONLY });
    await rename(from, to);
  }
}
