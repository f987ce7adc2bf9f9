import type { CacheRoom } from '../model/cache.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { LedgerReading } from '../model/ledger.ts';
import type { Snapshot, Target } from '../model/snapshot.ts';
import type { TargetStatus, TargetTraffic } from '../model/target.ts';
import type { DiskTrouble } from './cache/disk/disk-store.ts';

/** The control plane's face of the edge. */

export interface WorkerStatus {
  pid: number;
  generation: number;
  snapshot: number;
  accepting: boolean;
  /** What it last said that it keeps of responses; earlier versions do not say. */
  cacheMemory?: CacheRoom;
  /** What all workers keep on disk, as it knows it. */
  cacheDisk?: CacheRoom;
}

export interface EdgeStatus {
  /** The supervisor's process id. */
  pid: number;
  /** Counts upgrades from 1. */
  generation: number;
  listeners: { host: string; port: number }[];
  workers: WorkerStatus[];
  /** The newest snapshot that every accepting worker has acknowledged; 0 before the first. */
  snapshot: number;
  targets: TargetStatus[];
  /** By environment, requests that wait for an instance; edges of earlier versions do not say. */
  waiting?: Record<EnvironmentKey, number>;
  /** Environments that are asleep while requests wait for them; earlier versions do not say. */
  wanted?: readonly EnvironmentKey[];
}

export type EdgeEvent =
  /** All targets, when the health of one has changed or a draining one has become empty. */
  | { kind: 'targets'; targets: TargetStatus[] }
  /** All environments that are asleep while requests wait for them, when these have changed. */
  | { kind: 'wanted'; environments: readonly EnvironmentKey[] }
  | { kind: 'worker-died'; pid: number; signal: string | null; unaccounted: number }
  /** Of the worker: something is wrong with what is kept on disk, or not any more. */
  | { kind: 'cache-disk'; pid: number; trouble: DiskTrouble; detail: string }
  /** The connection to the edge is gone; the driver is looking for it again. */
  | { kind: 'disconnected' }
  | { kind: 'connected'; status: EdgeStatus };

/** One GET by Belay itself, on a connection of its own and past the edge: it is in no account. Never rejects. */
export type Prober = (
  target: Pick<Target, 'host' | 'port'>,
  path: string,
  signal: AbortSignal,
) => Promise<{ failed: boolean; us: number }>;

export interface EdgeDriver {
  /** Adopts a running edge, or starts one. Resolves when it accepts connections. */
  start(): Promise<EdgeStatus>;
  /**
   * Replaces the routing state. Resolves when every accepting worker has acknowledged it; a worker
   * that does not is replaced by the edge.
   *
   * @throws `stale-snapshot` when the edge holds a newer one (`details.current`)
   * @throws `edge-unreachable` (retryable)
   */
  publish(snapshot: Snapshot): Promise<void>;
  status(): Promise<EdgeStatus>;
  /** A reading that includes everything every worker has counted up to the call. */
  ledger(): Promise<LedgerReading>;
  /** What has passed through each target of the snapshot, over all workers. */
  traffic(): Promise<TargetTraffic[]>;
  /**
   * How long nobody has wanted each environment that falls asleep then, in milliseconds: 0 while
   * anything but a probe is inside or waits. Left out where it is not known.
   */
  quietMs(): Promise<Record<EnvironmentKey, number>>;
  /** Starts a new generation of the whole edge on the same listeners; resolves when it accepts. */
  upgrade(): Promise<EdgeStatus>;
  /** Hints; `status()` is the truth. Returns how to stop listening. */
  watch(listener: (event: EdgeEvent) => void): () => void;
  /** Stops the edge: no new connections, drains at most `drainMs`, ends. */
  stop(drainMs: number): Promise<void>;
  /** Lets go of the edge, which goes on running. */
  close(): Promise<void>;
}
