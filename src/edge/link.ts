import type { CacheCounts, CacheRoom } from '../model/cache.ts';
import type { LedgerRow } from '../model/ledger.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TargetHealth, TargetTraffic } from '../model/target.ts';
import type { DiskTrouble } from './cache/disk/disk-store.ts';

/**
 * What a worker and the supervisor say to each other: JSON lines over `edge/workers.sock`. The
 * worker connects, so that it can find a new supervisor after the old one has died; both sides take
 * any message at any time.
 *
 * The life of a worker: hello → welcome → (it listens) ready → … → retire → (it drains) bye.
 */

/** Health of a target as workers need it. Keyed by pool and target id, because ids may repeat. */
export interface HealthEntry {
  pool: string;
  target: string;
  health: TargetHealth;
  /** It has been healthy once, so it may be used when a whole pool is unhealthy. */
  admitted: boolean;
}

export type ToWorker =
  | { kind: 'welcome'; accept: boolean; snapshot: Snapshot | null; health: HealthEntry[] }
  | { kind: 'snapshot'; snapshot: Snapshot }
  /** Only the entries that changed. */
  | { kind: 'health'; health: HealthEntry[] }
  /** Report at once, with the traffic by target or without; the answer carries the same number. */
  | { kind: 'report-now'; request: number; traffic?: boolean }
  /** These have been out of the snapshot for long: count them more coarsely (`placeAfter`). */
  | { kind: 'merge'; pools: string[]; environments: string[] }
  /** These workers accept beside it, and tell their share of connections in their records. */
  | { kind: 'peers'; names: string[] }
  /** Answers a `ping`. */
  | { kind: 'pong' }
  /**
   * Stop accepting, answer with `Connection: close`, drain for at most so long, say bye, exit.
   * `early`: it had been promised more time, and what is closed then is lost.
   */
  | { kind: 'retire'; drainMs: number; early?: boolean };

export interface WorkerReport {
  /** Answers a `report-now`; null when sent on the worker's own schedule. */
  request: number | null;
  /** Requests accepted so far by this worker. */
  accepted: number;
  /** Requests accepted and not yet ended. */
  inFlight: number;
  tunnels: number;
  /** Connections that were not let in so far; workers of earlier versions do not say. */
  turnedAway?: number;
  /** Cumulative over the worker's life; only rows that changed since its last report … */
  rows: LedgerRow[];
  /** … or all there are: what it had named before and does not name now is counted in another. */
  complete: boolean;
  /**
   * What is inside each target now, and why it is left out if it is; only targets with something,
   * those just emptied, and those left out.
   */
  targets: {
    pool: string;
    target: string;
    inFlight: number;
    tunnels: number;
    ejection?: string;
  }[];
  /** By environment, requests that wait for a target; workers of earlier versions do not say. */
  waiting?: Record<string, number>;
  /** Environments that are asleep while requests wait for them: told at once when they change. */
  wanted?: readonly string[];
  /**
   * How long nobody has wanted each environment that falls asleep then, in milliseconds. A worker
   * that has just come to know of one speaks as if somebody had just left.
   */
  quietMs?: Record<string, number>;
  /**
   * What has passed through each target of its snapshot, where anything has; cumulative. Told only
   * on request and with everything, because it is long and seldom read.
   */
  traffic?: TargetTraffic[];
  /**
   * By environment, what the cache has done; cumulative, of all that ever had one. Workers of earlier
   * versions do not say.
   */
  cache?: Record<string, CacheCounts>;
  /** What this worker keeps in memory now. */
  cacheMemory?: CacheRoom;
  /** What all workers keep on disk now, as this one knows it. */
  cacheDisk?: CacheRoom;
}

export type ToSupervisor =
  | {
      kind: 'hello';
      /** Unique among all workers that ever were: 16 hexadecimal digits. */
      worker: string;
      pid: number;
      generation: number;
      /** The snapshot it holds; 0 for none. */
      snapshot: number;
      accepting: boolean;
      /** Everything it has counted, so that a new supervisor knows. */
      report: WorkerReport;
      ceiling: number;
    }
  | { kind: 'ready' }
  /** Is anybody there? */
  | { kind: 'ping' }
  /** It routes by this snapshot from now on. */
  | { kind: 'ack'; number: number }
  | { kind: 'report'; report: WorkerReport }
  /**
   * It will not accept more requests than this before it has said a higher number: so after a
   * `kill -9`, the requests without an account are at most `ceiling − ended`.
   */
  | { kind: 'ceiling'; accepted: number }
  /** Something is wrong with what is kept on disk, or not any more. */
  | { kind: 'cache-disk'; trouble: DiskTrouble; detail: string }
  | { kind: 'bye'; report: WorkerReport };
