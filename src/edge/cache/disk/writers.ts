import { randomHex } from '../../../kernel/random.ts';
import type { Account } from './account.ts';
import type { Places } from './places.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { ResponseWriter, type WriterHost, type Writing } from './response-writer.ts';
import type { Standing } from './standing.ts';

/** Of all responses together: what waits to be written before another is begun, ... */
const BUSY_BYTES = 16 * 1024 * 1024;
/** ... and before one that is being written is given up. */
const MOST_PENDING_BYTES = 64 * 1024 * 1024;
/** One response takes at most this share of the bound. */
const LARGEST_SHARE = 0.25;

interface WritersOptions {
  buffers: ReadBuffers;
  places: Places;
  account: Account;
  standing: Standing;
  onKept: (key: string) => void;
}

/** All that this process is writing, within the bounds of memory and disk. */
export class Writers implements WriterHost {
  readonly #options: WritersOptions;
  readonly #living = new Set<ResponseWriter>();
  #preparing: Promise<void> | null = null;
  #pendingBytes = 0;
  #limitBytes: number;

  constructor(options: WritersOptions, limitBytes: number) {
    this.#options = options;
    this.#limitBytes = limitBytes;
  }

  /** So much may be kept, by all processes. */
  setLimit(limitBytes: number): void {
    this.#limitBytes = limitBytes;
  }

  /** Null where there is too much to write already, or no room. */
  begin(key: string, head: string, sizeBytes: number, id = randomHex(16)): ResponseWriter | null {
    if (this.#pendingBytes > BUSY_BYTES || !this.#hasRoom(sizeBytes, sizeBytes)) return null;
    const { places } = this.#options;
    const temporaryPath = places.nextWritten();
    const writing = { key, head, id, temporaryPath, path: places.ofKey(key) };
    const writer = new ResponseWriter(writing, this);
    this.#living.add(writer);
    return writer;
  }

  /** What is on its way there is not to be kept. */
  abandon(key: string): void {
    for (const writer of this.#living) if (writer.key === key) writer.abandon();
  }

  /** Abandons all of them; resolves when nothing is under way. */
  async close(): Promise<void> {
    const writers = [...this.#living];
    for (const writer of writers) writer.close();
    await Promise.all(writers.map((writer) => writer.settled()));
  }

  get buffers(): ReadBuffers {
    return this.#options.buffers;
  }

  prepare(): Promise<void> {
    this.#preparing ??= this.#makePlaces();
    return this.#preparing;
  }

  addPending(bytes: number): boolean {
    this.#pendingBytes += bytes;
    return this.#pendingBytes <= MOST_PENDING_BYTES;
  }

  addWritten(bytes: number, sizeBytes: number): boolean {
    if (!this.#hasRoom(bytes, sizeBytes)) return false;
    this.#options.account.add(bytes);
    return true;
  }

  onFailed({ temporaryPath }: Writing, thrown: unknown): void {
    // Somebody may have removed the directories: they are made anew next time.
    this.#preparing = null;
    this.#options.standing.failed(`write ${temporaryPath}`, thrown);
  }

  onKept({ key }: Writing): void {
    this.#options.standing.worked();
    this.#options.onKept(key);
  }

  onClosed(writer: ResponseWriter): void {
    this.#living.delete(writer);
  }

  async #makePlaces(): Promise<void> {
    try {
      await this.#options.places.prepare();
      this.#options.account.open();
    } catch (thrown) {
      this.#preparing = null;
      throw thrown;
    }
  }

  #hasRoom(bytes: number, sizeBytes: number): boolean {
    const { account } = this.#options;
    return (
      sizeBytes <= this.#limitBytes * LARGEST_SHARE &&
      account.totalBytes + bytes <= this.#limitBytes
    );
  }
}
