import type { Growths } from './predict-growth.ts';

/** What comes again: which days of the past are compared with the one that is foreseen. */
export interface Rhythm {
  name: 'day' | 'week';
  daysBack: readonly number[];
}

export const DAILY: Rhythm = { name: 'day', daysBack: [1, 2, 3, 4, 5, 6, 7] };
export const WEEKLY: Rhythm = { name: 'week', daysBack: [7, 14, 21, 28] };

/** By how much the load grew at one time of the days that are compared. */
export interface Foreseen {
  /** The median of the days. */
  usual: number;
  /** On any of them, within the tolerance. */
  most: number;
  days: number;
}

export const DAY_MINUTES = 1_440;
/** People and programs are not on time to the minute. */
const TOLERANCE_MINUTES = 1;

/** @param minute since the epoch; null: nothing is known of its time on any of the days */
export function foresee(growths: Growths, { daysBack }: Rhythm, minute: number): Foreseen | null {
  const usual: number[] = [];
  let most = 0;
  for (const back of daysBack) {
    const then = minute - back * DAY_MINUTES - growths.firstMinute;
    let sum = 0;
    let known = 0;
    for (let near = then - TOLERANCE_MINUTES; near <= then + TOLERANCE_MINUTES; near += 1) {
      const growth = growths.values[near] ?? Number.NaN;
      if (Number.isNaN(growth)) continue;
      sum += growth;
      known += 1;
      if (growth > most) most = growth;
    }
    if (known > 0) usual.push(sum / known);
  }
  return usual.length === 0 ? null : { usual: medianOf(usual), most, days: usual.length };
}

function medianOf(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return (upper + (sorted[(sorted.length >> 1) - 1] ?? upper)) / 2;
}
