import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** What a byte of the file stands for. Each process has paid for at most so much that it has not used. */
const UNIT_BYTES = 64 * 1024;
/** What a file takes on the disk: whole pages. */
const PAGE_BYTES = 4_096;

export const bytesOnDisk = (fileBytes: number): number =>
  Math.ceil(fileBytes / PAGE_BYTES) * PAGE_BYTES;

/**
 * How much all processes keep in the directory: as many units as a file is long. To append to a file
 * is the one way in which processes add up a number without waiting for each other, and to ask for
 * its length costs half a microsecond. What goes is not taken off: whoever counts what is really
 * there (`cleaner.ts`) sets the length.
 */
export class Account {
  readonly #path: string;
  #descriptor: number | null = null;
  #prepaidBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The one that lies there now. @throws the system's error */
  open(): void {
    this.close();
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
    this.#descriptor = openSync(this.#path, flags, 0o600);
  }

  /** 0 before it is open. */
  get totalBytes(): number {
    return this.#descriptor === null ? 0 : fstatSync(this.#descriptor).size * UNIT_BYTES;
  }

  /** @throws the system's error, such as of a full disk */
  add(bytes: number): void {
    if (bytes > this.#prepaidBytes && this.#descriptor !== null) {
      const units = Math.ceil((bytes - this.#prepaidBytes) / UNIT_BYTES);
      writeSync(this.#descriptor, Buffer.alloc(units));
      this.#prepaidBytes += units * UNIT_BYTES;
    }
    this.#prepaidBytes -= bytes;
  }

  /** There are so many; what others add meanwhile may be lost. */
  set(totalBytes: number): void {
    if (this.#descriptor === null) return;
    ftruncateSync(this.#descriptor, Math.ceil(Math.max(0, totalBytes) / UNIT_BYTES));
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
