import type { Timer } from '../../../kernel/clock.ts';
import type { Account } from './account.ts';
import { cleanAside } from './cleaning.ts';
import type { DiskStoreOptions } from './disk-store.ts';
import { type Places, shardsIn } from './places.ts';
import { type Room, roomIn } from './room.ts';

/** How often it is looked whether there is too much. */
const LOOK_MS = 1_000;
/** To look at all that is kept takes at most this share of a processor. */
const MOST_TIME = 0.2;
/** When that did not work. */
const REST_MS = 60_000;
/** Others do it; it is seen by then when they are gone. */
const OTHERS_MS = 5_000;
/** Above this share of the bound room is made, ... */
const TOO_MUCH = 0.95;
/** ... so that this is left of it. */
const ENOUGH = 0.85;

export type CleanerOptions = Pick<DiskStoreOptions, 'clock' | 'directory'> & {
  account: Account;
  places: Places;
  /** On the disk, about once a second. */
  onRoom: (room: Room) => void;
  /** So much may be kept now. */
  onLimit: (limitBytes: number) => void;
};

/**
 * Keeps the directory within its bound, and others some room beside it. Of all processes, one makes room: the eldest, as all of them
 * know without asking each other; two that both think so delete the same.
 */
export class Cleaner {
  readonly #options: CleanerOptions;
  #boundBytes: number;
  #timer: Timer | null = null;
  #cleaning: ReturnType<typeof cleanAside> | null = null;
  /** Not before this it is looked again. */
  #restsUntilMs = 0;
  /** Once in its life it looks anyway: a crash of the machine may have lost the account. */
  #hasLooked = false;

  constructor(options: CleanerOptions, boundBytes: number) {
    this.#options = options;
    this.#boundBytes = boundBytes;
  }

  start(): void {
    this.#timer = this.#options.clock.every(LOOK_MS, () => this.#look());
  }

  setBound(boundBytes: number): void {
    this.#boundBytes = boundBytes;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#cleaning?.stop();
    await this.#cleaning?.done;
  }

  #look(): void {
    const { clock, onLimit, places } = this.#options;
    const limitBytes = this.#measureLimit();
    onLimit(limitBytes);
    if (this.#cleaning !== null || clock.monotonic() < this.#restsUntilMs) return;
    if (!this.#isNeeded(limitBytes)) return;
    if (places.isEldest()) void this.#clean(limitBytes);
    else this.#restsUntilMs = clock.monotonic() + OTHERS_MS;
  }

  /** Where others fill the disk, it is less than the bound: what is kept gives way to them. */
  #measureLimit(): number {
    const { account, directory, onRoom } = this.#options;
    const room = roomIn(directory);
    if (room === null) return this.#boundBytes;
    onRoom(room);
    const leftBytes = account.totalBytes + room.freeBytes - room.leastBytes;
    return Math.max(0, Math.min(this.#boundBytes, leftBytes));
  }

  #isNeeded(limitBytes: number): boolean {
    const { account, directory } = this.#options;
    if (account.totalBytes > limitBytes * TOO_MUCH) return true;
    return !this.#hasLooked && shardsIn(directory).length > 0;
  }

  async #clean(limitBytes: number): Promise<void> {
    const { account, clock, directory } = this.#options;
    const beforeMs = clock.monotonic();
    const beforeBytes = account.totalBytes;
    const boundBytes = limitBytes * TOO_MUCH;
    this.#cleaning = cleanAside({ directory, boundBytes, keepBytes: limitBytes * ENOUGH });
    const cleaned = await this.#cleaning.done;
    this.#cleaning = null;
    this.#hasLooked = true;
    const tookMs = clock.monotonic() - beforeMs;
    this.#restsUntilMs = clock.monotonic() + (cleaned === null ? REST_MS : tookMs / MOST_TIME);
    // What was added meanwhile may have been counted or not.
    if (cleaned !== null) account.set(cleaned.totalBytes + account.totalBytes - beforeBytes);
  }
}
