import type { Clock } from '../../../kernel/clock.ts';

/**
 * Responses kept on disk, for all worker processes of one machine, and over restarts. They share a
 * directory and nothing else: no process waits for another, and what one of them writes is there for
 * all once it is whole. What is read is checked first: a byte that was not written is never given.
 * See docs/adr/0021-kept-responses-on-disk.md.
 */
export interface DiskStore {
  /**
   * `on`; `read-only` while the disk is full: what is kept is still read; `off` while the disk fails.
   * It is tried again after a while, and then `onTrouble` hears of it.
   */
  readonly state: DiskState;
  /**
   * A kept response, its head verified. Null: there is none, it was damaged (and is gone now), or the
   * disk is off. Never rejects.
   */
  open(key: string): Promise<DiskResponse | null>;
  /**
   * Begins to write one; it takes the place of what is kept under the key when it is finished. Null
   * where the disk takes nothing now, has too much to write already, or the response is too large.
   *
   * @param sizeBytes of the body; null when it is not known yet
   */
  create(key: string, head: string, sizeBytes: number | null): DiskWriter | null;
  /**
   * Another head for the same body, as after a 304; the body is not written again. Without effect
   * where something else is kept under the key by now. Never rejects.
   *
   * @param id of the response (`DiskResponse.id`, `DiskWriter.id`) that the head belongs to
   */
  updateHead(key: string, id: string, head: string): Promise<void>;
  delete(key: string): void;
  /**
   * Takes back a buffer that a `read` gave and that nobody looks at any more, for later ones; need not
   * be called. What it held is overwritten.
   */
  recycle(buffer: Buffer): void;
  /** Of all that is kept, by all processes: about, as of now. */
  readonly sizeBytes: number;
  /** Keeps no more than so many bytes from now on; 0: nothing, and what was kept goes. */
  setBound(boundBytes: number): void;
  /** Abandons what is being written. What has been opened can be read until it is closed. */
  close(): Promise<void>;
}

export type DiskState = 'on' | 'read-only' | 'off';

export interface DiskResponse {
  /** Of this response among all that were ever kept under its key: 16 hexadecimal digits. */
  readonly id: string;
  /** The caller's own text. */
  readonly head: string;
  /** Of the body. */
  readonly sizeBytes: number;
  /**
   * What is at that place, at least one byte and at most `mostBytes`; empty only at the end.
   *
   * @throws `cache-damaged` when it is not what was written: the response is gone from the disk then
   * @throws `cache-disk-failed` when it cannot be read
   */
  read(position: number, mostBytes: number): Promise<Buffer>;
  close(): void;
}

/** Never throws where the disk does not take what is written: it says so at the end. */
export interface DiskWriter {
  readonly id: string;
  /** Given, and not yet on the disk. */
  readonly pendingBytes: number;
  /**
   * How much of what was given is on the disk, and can be read there. It stays as it is when the disk
   * takes no more (`hasGivenUp`): what is behind it is nowhere then but with the caller.
   */
  readonly writtenBytes: number;
  readonly hasGivenUp: boolean;
  /** The writer owns the bytes from then on: nobody may change them. */
  write(bytes: Buffer): void;
  /**
   * As of a response, of what was given so far, also after the end and until it is closed; empty where
   * nothing has been given beyond that place.
   *
   * @throws `cache-disk-failed` where the disk did not take so much
   */
  read(position: number, mostBytes: number): Promise<Buffer>;
  /**
   * The body is whole. `true`: the response is there for everybody; `false`: it is not kept.
   *
   * @param head in place of the one it began with
   */
  finish(head?: string): Promise<boolean>;
  /** What was written is of no use: nothing is kept. */
  abandon(): void;
  /** Nobody reads from it any more. Called once, behind the end, however that was. */
  close(): void;
}

/** What operators want to hear of. */
export type DiskTrouble =
  /** A kept response is not what was written; it is gone. */
  | 'damaged'
  /** There is no room on the disk: nothing is kept there for now. */
  | 'full'
  /** The disk cannot be read or written: it is left alone for now. */
  | 'failed'
  /** It is used again. */
  | 'recovered';

export interface DiskStoreOptions {
  /** Made where it does not exist; shared with the other processes of this edge. */
  directory: string;
  boundBytes: number;
  clock: Clock;
  /** @param detail one sentence without a period: which file, what the system said */
  onTrouble: (trouble: DiskTrouble, detail: string) => void;
}
