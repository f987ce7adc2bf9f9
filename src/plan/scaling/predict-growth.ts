import type { Sample } from './measured.ts';

/**
 * By how much a load grew, for every minute of its past: the most of the minutes that followed, to
 * the level it had. What grows is compared and not what is, because days resemble each other in
 * their shape and not in their height.
 */
export interface Growths {
  /** Of the first one, in minutes since the epoch. */
  firstMinute: number;
  /** By the minute: what there was, and how many times as much there was at most soon after; NaN where it cannot be said. */
  levels: Float64Array;
  values: Float64Array;
}

const MINUTE_MS = 60_000;
/** One busy minute is not the level. */
export const LEVEL_MINUTES = 5;

export const minuteOf = (moment: number): number => Math.floor(moment / MINUTE_MS);

/**
 * @param samples of the load by the minute, in any order
 * @param floor added to both sides, so that a little more of next to nothing is no growth
 */
export function growthsOf(
  samples: readonly Sample[],
  horizonMinutes: number,
  floor: number,
): Growths | null {
  if (samples.length === 0) return null;
  let firstMinute = Number.POSITIVE_INFINITY;
  let lastMinute = Number.NEGATIVE_INFINITY;
  for (const { at } of samples) {
    firstMinute = Math.min(firstMinute, minuteOf(at));
    lastMinute = Math.max(lastMinute, minuteOf(at));
  }
  const loads = new Float64Array(lastMinute - firstMinute + 1).fill(Number.NaN);
  for (const { at, value } of samples) loads[minuteOf(at) - firstMinute] = value + floor;
  const levels = loads.map((_, minute) => levelAt(loads, minute));
  const values = levels.map((level, minute) => mostAfter(loads, minute, horizonMinutes) / level);
  return { firstMinute, levels, values };
}

/** Plain loops, here and below: it is done for every minute of a month. */
function levelAt(loads: Float64Array, minute: number): number {
  let sum = 0;
  let measured = 0;
  for (let back = 0; back < LEVEL_MINUTES; back += 1) {
    const load = loads[minute - back] ?? Number.NaN;
    if (Number.isNaN(load)) continue;
    sum += load;
    measured += 1;
  }
  return sum / measured;
}

/** At the end of the past, and before a gap, there may have been more than was measured. */
function mostAfter(loads: Float64Array, minute: number, horizonMinutes: number): number {
  let most = 0;
  for (let ahead = 1; ahead <= horizonMinutes; ahead += 1) {
    const load = loads[minute + ahead] ?? Number.NaN;
    if (Number.isNaN(load)) return Number.NaN;
    if (load > most) most = load;
  }
  return most;
}
