import type { Entry } from './entry-list.ts';

/**
 * Which entries stay when there is no room for all. A policy keeps the entries it holds within its
 * bound and says which have to go; what they hold is not its business.
 */
export interface Eviction {
  /** Bytes of all entries that it holds. */
  readonly sizeBytes: number;
  /** What it takes itself, whatever it holds. */
  readonly overheadBytes: number;
  /**
   * Takes one in that it does not hold.
   *
   * @returns those that have to go for it, the new one among them where it is not worth its place
   */
  add(entry: Entry): Entry[];
  /** One that it holds was used. */
  use(entry: Entry): void;
  /** One that it holds takes so much now. @returns those that have to go for it, maybe itself */
  resize(entry: Entry, sizeBytes: number): Entry[];
  /** Lets go of one that it holds. */
  remove(entry: Entry): void;
  /** @returns those that have to go */
  setBound(boundBytes: number): Entry[];
}

export type EvictionFactory = (boundBytes: number) => Eviction;
