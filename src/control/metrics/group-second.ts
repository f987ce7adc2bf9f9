import type { SparseHistogram } from '../../kernel/histogram.ts';

/** What was measured of an environment in one second. Null: it was not. */
export interface GroupSecond {
  /** Its end, on the clock that nobody can set. */
  atMs: number;
  /** Since the end of the one before. */
  durationMs: number;
  /** In service, and past their warm-up. */
  instances: number;
  cpuPercent: number | null;
  memoryBytes: number | null;
  /**
   * Requests that came: those that have ended, and the growth of what is inside and waiting. Below 0
   * where what is inside was told late; so it is added up before it is read.
   */
  came: number | null;
  errors: number | null;
  /** Those that the cache answered, beside those that came. */
  cached: number | null;
  inFlight: number | null;
  waiting: number | null;
  /** Of the requests that have ended, but for those the cache answered; empty where none has. */
  latency: SparseHistogram | null;
  reported: Readonly<Record<string, number>>;
}
