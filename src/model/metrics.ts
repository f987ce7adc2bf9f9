import type { MetricPoint } from './scaling-decision.ts';

/** What instances do: measured every second, kept for a while, and by the minute for a month. */

/** What was measured of an environment's instances together over one period. Null: it was not. */
export interface GroupPoint extends MetricPoint {
  /** Summed over the instances in service. */
  memoryBytes: number | null;
  p50Ms: number | null;
  /** Answers of 5xx a minute, the app's and the edge's own; without those from the cache. */
  errorsPerMinute: number | null;
  /** Requests that the cache answered, so that no instance was asked. */
  cachedPerMinute: number | null;
  /** Of `concurrency`, those that waited for an instance. */
  waiting: number | null;
}

/** What was measured of one instance over a second. Null: it was not. */
export interface InstancePoint {
  /** The end of the second, milliseconds since the epoch. */
  at: number;
  /** Per cent of what it is allowed: of its `cpu`, else of one core. */
  cpuPercent: number | null;
  memoryBytes: number | null;
  requestsPerSecond: number | null;
  /** The app's own 5xx, and requests that were lost or cut. */
  errorsPerSecond: number | null;
  inFlight: number | null;
  p50Ms: number | null;
  p99Ms: number | null;
}

/** How long every second is kept, in memory, and every minute, on record. */
export const SECONDS_KEPT_MS = 900_000;
export const MINUTES_KEPT_MS = 31 * 86_400_000;

/** What an environment did, as people are told. */
export interface MetricsView {
  application: string;
  environment: string;
  /** The length of a period of `points`: a second or a minute. */
  periodMs: number;
  /** Oldest first, at equal distances but for gaps. */
  points: readonly GroupPoint[];
  /** Numbers of the app's own that hold now, by name. */
  reported: Readonly<Record<string, number>>;
}

export interface InstanceMetricsView {
  instance: string;
  periodMs: number;
  /** Oldest first. */
  points: readonly InstancePoint[];
}

/** What of an environment is told by nobody else. */
export interface MetricsNow {
  application: string;
  environment: string;
  /** Requests that wait for an instance; null: not measured. */
  waiting: number | null;
  /** Numbers of the app's own that hold, by name. */
  reported: Readonly<Record<string, number>>;
}
