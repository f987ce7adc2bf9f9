import type { Sample } from './measured.ts';
import type { ScalingInput } from './scaling.ts';

/**
 * What a group will have to bear when capacity that is ordered now serves, and how much more it may
 * turn out to be.
 *
 * The forecast is a straight line through the last moments. How much to add is not assumed: the same
 * forecast is made for every moment of the recent past, with what was known then, and what it was
 * wrong by is the measure. Steady load is given little headroom and restless load much.
 *
 * All lengths are multiples of the horizon, which is how long ordered capacity takes to come: what
 * happens faster than that nobody can answer, and what happens much slower needs no forecast.
 */

/** Values are taken together over half a horizon, at least a period. */
const GRAINS_OF_HORIZON = 2;
/** The line goes through two and a half horizons. */
const TREND_GRAINS = 5;
/** Errors are those of fifteen horizons: long enough to have seen some, short enough to forget. */
const ERROR_GRAINS = 30;
/**
 * So many times the usual error is added, as control charts do it: what lies beyond is not chance
 * but a change.
 */
const ERRORS_ADDED = 3;
/** The newest values speak for themselves where a grain has more: a sudden rise is not averaged away. */
const NEWEST_SAMPLES = 3;
/** Of a horizon that is not a whole number of grains. */
const MOST_GRAINS_AHEAD = GRAINS_OF_HORIZON + 1;
/** What is looked at together: errors, what they were foreseen from, and the horizon between them. */
const GRAINS = ERROR_GRAINS + TREND_GRAINS + MOST_GRAINS_AHEAD;
/** Before there are errors to measure, one of a tenth of the load is assumed. */
const ASSUMED_ERROR = 0.1;

export interface LoadForecast {
  /** Of the newest samples. */
  level: number;
  /** At the horizon; never negative. */
  expected: number;
  /** What is added for the errors of late. */
  headroom: number;
  horizonMs: number;
}

/** From the launch of an instance until it counts, and until the decision after this one. */
export const horizonOf = ({
  bootMs,
  periodMs,
  scaling,
}: Pick<ScalingInput, 'bootMs' | 'periodMs' | 'scaling'>): number =>
  bootMs + scaling.warmupMs + periodMs;

/** How far back samples matter. */
export const reachMs = (horizonMs: number, periodMs: number): number =>
  GRAINS * grainOf(horizonMs, periodMs);

/**
 * @param samples oldest first, at least one
 * @param periodMs at which they were taken
 */
export function forecastLoad(
  samples: readonly Sample[],
  periodMs: number,
  horizonMs: number,
): LoadForecast {
  const grainMs = grainOf(horizonMs, periodMs);
  const ahead = Math.ceil(horizonMs / grainMs);
  const grains = grainsOf(samples, grainMs);
  const newest = newestOf(samples, Math.min(grainMs, NEWEST_SAMPLES * periodMs));
  const level = Math.max(grains.at(-1) ?? 0, newest);
  const expected = Math.max(0, level + slopeAt(grains, grains.length - 1) * ahead);
  const headroom = ERRORS_ADDED * usualError(grains, ahead, level);
  return { level, expected, headroom, horizonMs };
}

function grainOf(horizonMs: number, periodMs: number): number {
  return periodMs * Math.max(1, Math.round(horizonMs / GRAINS_OF_HORIZON / periodMs));
}

/** Means over grains, the newest last; null where nothing was measured. */
function grainsOf(samples: readonly Sample[], grainMs: number): (number | null)[] {
  const newestAt = samples.at(-1)?.at ?? 0;
  const sums = Array.from({ length: GRAINS }, () => ({ sum: 0, samples: 0 }));
  for (const { at, value } of samples) {
    const grain = sums[GRAINS - 1 - Math.floor((newestAt - at) / grainMs)];
    if (!grain) continue;
    grain.sum += value;
    grain.samples += 1;
  }
  return sums.map(({ sum, samples }) => (samples === 0 ? null : sum / samples));
}

function newestOf(samples: readonly Sample[], windowMs: number): number {
  const newestAt = samples.at(-1)?.at ?? 0;
  const newest = samples.filter(({ at }) => at > newestAt - windowMs);
  return newest.reduce((sum, { value }) => sum + value, 0) / Math.max(1, newest.length);
}

/** Of the line through the grains up to one of them, in a grain: least squares. */
function slopeAt(grains: readonly (number | null)[], last: number): number {
  let count = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  for (let back = 0; back < TREND_GRAINS; back += 1) {
    const y = grains[last - back] ?? null;
    if (y === null) continue;
    count += 1;
    sumX -= back;
    sumY += y;
    sumXX += back * back;
    sumXY -= back * y;
  }
  const spread = count * sumXX - sumX * sumX;
  return spread === 0 ? 0 : (count * sumXY - sumX * sumY) / spread;
}

/** The root of the mean square of what forecasts so far ahead were wrong by. */
function usualError(grains: readonly (number | null)[], ahead: number, level: number): number {
  let squares = (ASSUMED_ERROR * level) ** 2;
  let count = 1;
  for (let at = GRAINS - ERROR_GRAINS; at < GRAINS; at += 1) {
    const then = grains[at - ahead] ?? null;
    const now = grains[at] ?? null;
    if (then === null || now === null) continue;
    squares += (now - Math.max(0, then + slopeAt(grains, at - ahead) * ahead)) ** 2;
    count += 1;
  }
  return Math.sqrt(squares / count);
}
