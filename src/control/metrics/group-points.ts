import { quantile, type SparseHistogram } from '../../kernel/histogram.ts';
import type { GroupPoint } from '../../model/metrics.ts';
import type { GroupSecond } from './group-second.ts';

/** Seconds put together to the periods that decisions are made from. Pure. */

/** A figure that was measured for a smaller share of a period says nothing about it. */
const MEASURED_SHARE = 0.5;
const MINUTE_MS = 60_000;

/**
 * Whole periods that end with the newest second, oldest first. One without any second is left out.
 *
 * @param seconds oldest first
 * @param aheadMs how far the wall clock is ahead of the clock of the seconds
 */
export function pointsOf(
  seconds: readonly GroupSecond[],
  periodMs: number,
  aheadMs: number,
): GroupPoint[] {
  const newest = seconds.at(-1);
  const oldest = seconds[0];
  if (!newest || !oldest) return [];
  const points: GroupPoint[] = [];
  let last = seconds.length;
  const beginMs = oldest.atMs - oldest.durationMs;
  // A second ends a little sooner or later than the clock strikes.
  const slackMs = oldest.durationMs / 2;
  for (let endMs = newest.atMs; endMs - periodMs >= beginMs - slackMs; endMs -= periodMs) {
    let first = last;
    while (first > 0 && (seconds[first - 1]?.atMs ?? 0) > endMs - periodMs + slackMs) first -= 1;
    if (first < last) {
      const point = knownPoint(seconds.slice(first, last), periodMs);
      points.push({ ...point, at: Math.round(endMs + aheadMs) });
    }
    last = first;
  }
  return points.reverse();
}

/** By the newest second of a period: the same periods are asked for again and again. */
const known = new WeakMap<
  GroupSecond,
  { oldest: GroupSecond; periodMs: number; point: GroupPoint }
>();

function knownPoint(seconds: readonly GroupSecond[], periodMs: number): GroupPoint {
  const [oldest] = seconds;
  const newest = seconds.at(-1);
  if (!oldest || !newest) return pointOf(seconds, periodMs, 0);
  const before = known.get(newest);
  if (before?.oldest === oldest && before.periodMs === periodMs) return before.point;
  const point = pointOf(seconds, periodMs, 0);
  known.set(newest, { oldest, periodMs, point });
  return point;
}

/** @param at the end of the period, as the wall clock has it */
export function pointOf(seconds: readonly GroupSecond[], periodMs: number, at: number): GroupPoint {
  const average = (read: (second: GroupSecond) => number | null) =>
    averageOf(seconds, periodMs, read);
  const perMinute = (read: (second: GroupSecond) => number | null) =>
    perMinuteOf(seconds, periodMs, read);
  const latency = latencyOf(seconds, periodMs);
  return {
    at: Math.round(at),
    instances: seconds.at(-1)?.instances ?? 0,
    cpuPercent: average(({ cpuPercent }) => cpuPercent),
    memoryBytes: average(({ memoryBytes }) => memoryBytes),
    requestsPerMinute: perMinute(({ came }) => came),
    errorsPerMinute: perMinute(({ errors }) => errors),
    cachedPerMinute: perMinute(({ cached }) => cached),
    concurrency: average(({ inFlight, waiting }) =>
      inFlight === null || waiting === null ? null : inFlight + waiting,
    ),
    waiting: average(({ waiting }) => waiting),
    p50Ms: toMs(latency && quantile(latency, 0.5)),
    p99Ms: toMs(latency && quantile(latency, 0.99)),
    reported: reportedOf(seconds, periodMs),
  };
}

function averageOf(
  seconds: readonly GroupSecond[],
  periodMs: number,
  read: (second: GroupSecond) => number | null,
): number | null {
  const average = perMsOf(seconds, periodMs, (second) => {
    const value = read(second);
    return value === null ? null : value * second.durationMs;
  });
  return average === null ? null : rounded(average);
}

function perMinuteOf(
  seconds: readonly GroupSecond[],
  periodMs: number,
  read: (second: GroupSecond) => number | null,
): number | null {
  const perMs = perMsOf(seconds, periodMs, read);
  return perMs === null ? null : Math.max(0, rounded(perMs * MINUTE_MS));
}

/** What is read, over the time in which it was measured; null where that is too little. */
function perMsOf(
  seconds: readonly GroupSecond[],
  periodMs: number,
  read: (second: GroupSecond) => number | null,
): number | null {
  let measuredMs = 0;
  let total = 0;
  for (const second of seconds) {
    const value = read(second);
    if (value === null) continue;
    measuredMs += second.durationMs;
    total += value;
  }
  return measuredMs < periodMs * MEASURED_SHARE ? null : total / measuredMs;
}

/** Null where too little was measured. */
function latencyOf(seconds: readonly GroupSecond[], periodMs: number): SparseHistogram | null {
  let measuredMs = 0;
  const counts = new Map<number, number>();
  for (const { latency, durationMs } of seconds) {
    if (latency === null) continue;
    measuredMs += durationMs;
    for (let index = 0; index + 1 < latency.length; index += 2) {
      const bucket = latency[index] ?? 0;
      counts.set(bucket, (counts.get(bucket) ?? 0) + (latency[index + 1] ?? 0));
    }
  }
  if (measuredMs < periodMs * MEASURED_SHARE) return null;
  return [...counts].sort(([a], [b]) => a - b).flat();
}

function reportedOf(seconds: readonly GroupSecond[], periodMs: number): Record<string, number> {
  const names = new Set(seconds.flatMap(({ reported }) => Object.keys(reported)));
  const averages: Record<string, number> = {};
  for (const name of names) {
    const value = averageOf(seconds, periodMs, ({ reported }) => reported[name] ?? null);
    if (value !== null) averages[name] = value;
  }
  return averages;
}

/** To a thousandth: finer than anything is measured. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

const toMs = (us: number | null): number | null => (us === null ? null : Math.round(us / 10) / 100);
