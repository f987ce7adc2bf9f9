import type { CacheCounts, CachePolicy, CacheRoom, Purge } from './cache.ts';

/** What people and scripts see of caches. The names of these fields are an interface. */

/** Of requests that came to the cache, those the app was not asked for. */
export const savedRequests = ({ hits, stale, collapsed }: CacheCounts): number =>
  hits + stale + collapsed;

export interface CacheView {
  application: string;
  environment: string;
  /** Null: nothing is kept. */
  policy: CachePolicy | null;
  /** Over all workers there ever were. */
  counts: CacheCounts;
  /** How many purges there were in its life. */
  purges: number;
}

export interface CachesView {
  /** Milliseconds since the epoch. */
  at: number;
  environments: CacheView[];
  /** Those that accept. Each has a memory of its own, of all environments; null: it does not say. */
  workers: { pid: number; memory: CacheRoom | null }[];
  /** What each of them keeps at most. */
  memoryBoundBytes: number;
  /** Shared by all of them; null: nobody says. */
  disk: CacheRoom | null;
  diskBoundBytes: number;
}

/** What is not to be used any more, as somebody asks for it. */
export type PurgeRequest = Omit<Purge, 'number'>;

export interface PurgeView {
  application: string;
  environment: string;
  /** As they are on record. */
  purged: PurgeRequest[];
  /** Of the newest of them. */
  number: number;
  /** From this snapshot on, on every worker; null while the edge cannot be reached, and follows. */
  snapshot: number | null;
  /** So many have acknowledged it. */
  workers: number;
  /** From the record to the last of them. */
  tookMs: number;
}
