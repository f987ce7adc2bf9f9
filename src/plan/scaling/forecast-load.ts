import type { Sample } from './measured.ts';
import type { ScalingInput } from './scaling.ts';

/**
 * What a group will have to bear when capacity that is ordered now serves, and how much more it may
 * turn out to be.
 *
 * Three simple forecasts compete: that the load stays as it is, that it stays as it has been on
 * average, and that it goes on changing. The one that was nearest to the truth lately is believed.
 * How much to keep free beyond it is not assumed but measured: by what the same forecast was too low
 * before. Steady load is given little headroom and restless load much.
 *
 * All lengths are multiples of the horizon, which is how long ordered capacity takes to come: what
 * happens faster than that nobody can answer, and what happens much slower needs no forecast.
 */

/** Values are taken together over half a horizon, at least a period: the grain of what follows. */
const GRAINS_OF_HORIZON = 2;
/** Of a horizon that is not a whole number of grains. */
const MOST_GRAINS_AHEAD = GRAINS_OF_HORIZON + 1;
/** A line goes through two and a half horizons. */
const TREND_GRAINS = 5;
/** An average is that of six, and so are the errors by which one forecast is preferred. */
const RECENT_GRAINS = 12;
/** Headroom follows the errors of fifteen: long enough to have seen some, short enough to forget. */
const ERROR_GRAINS = 30;
/** What is looked at together: errors, what they were foreseen from, and the way between them. */
const GRAINS = ERROR_GRAINS + RECENT_GRAINS + MOST_GRAINS_AHEAD;
/** Three times the usual error, as control charts have it: beyond that it is not chance but change. */
const ERRORS_KEPT_FREE = 3;
/** One error of a fifth of the load is always counted: a calm past proves little. */
const ASSUMED_ERROR = 0.2;
/** After a leap, lines point to the sky and errors are huge: both together ask for a half more at most. */
const MOST_ABOVE_LEVEL = 0.5;
/** The newest samples speak for themselves as well, so that a leap is not averaged away. */
const NEWEST_OF_GRAIN = 0.25;
const NEWEST_SAMPLES = 3;

export interface LoadForecast {
  /** Of the newest samples. */
  level: number;
  /** At the horizon. */
  expected: number;
  /** What is kept free for the errors of late. */
  headroom: number;
  horizonMs: number;
}

/** Means over grains, the newest last; null where nothing was measured. */
type Grains = readonly (number | null)[];

/** What will be so many grains after one of them, by what was known then; null: nothing was. */
type Forecast = (grains: Grains, at: number, ahead: number) => number | null;

/** The calmest first: it wins where two are equally good. */
const forecasts: readonly Forecast[] = [
  (grains, at) => grains[at] ?? null,
  (grains, at) => meanAt(grains, at),
  (grains, at, ahead) => lineAt(grains, at, ahead),
];

/** From the launch of an instance until it counts, and until the decision after this one. */
export const horizonOf = ({
  bootMs,
  periodMs,
  scaling,
}: Pick<ScalingInput, 'bootMs' | 'periodMs' | 'scaling'>): number =>
  bootMs + scaling.warmupMs + periodMs;

/** What there should be room for: what is there already, at least. */
export const loadWith = ({ level, expected, headroom }: LoadForecast, headrooms: number): number =>
  Math.max(level, expected + headrooms * headroom);

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
  const level = levelOf(samples, grains, grainMs, periodMs);
  const best = nearest(grains, ahead, level);
  const foreseen = best.forecast([...grains.slice(0, -1), level], GRAINS - 1, ahead) ?? level;
  const usual = ERRORS_KEPT_FREE * usualShortfall(best.errors, level);
  const most = (1 + MOST_ABOVE_LEVEL) * level;
  const hasLeapt = foreseen + usual > most;
  const expected = hasLeapt ? Math.max(level, foreseen) : foreseen;
  const headroom = hasLeapt ? Math.max(0, most - expected) : usual;
  return { level, expected, headroom, horizonMs };
}

function grainOf(horizonMs: number, periodMs: number): number {
  return periodMs * Math.max(1, Math.round(horizonMs / GRAINS_OF_HORIZON / periodMs));
}

function grainsOf(samples: readonly Sample[], grainMs: number): Grains {
  const newestAt = samples.at(-1)?.at ?? 0;
  const sums = Array.from({ length: GRAINS }, () => ({ sum: 0, count: 0 }));
  for (const { at, value } of samples) {
    const grain = sums[GRAINS - 1 - Math.floor((newestAt - at) / grainMs)];
    if (!grain) continue;
    grain.sum += value;
    grain.count += 1;
  }
  return sums.map(({ sum, count }) => (count === 0 ? null : sum / count));
}

/** What there is now. */
function levelOf(
  samples: readonly Sample[],
  grains: Grains,
  grainMs: number,
  periodMs: number,
): number {
  const newestMs = Math.min(NEWEST_OF_GRAIN * grainMs, NEWEST_SAMPLES * periodMs);
  const newest = meanSince(samples, Math.max(newestMs, periodMs));
  return Math.max(grains.at(-1) ?? 0, newest);
}

/** The forecast that was nearest to the truth lately, and by what it was wrong. */
function nearest(grains: Grains, ahead: number, level: number) {
  return forecasts
    .map((forecast) => ({ forecast, errors: errorsOf(forecast, grains, ahead) }))
    .map((each) => ({ ...each, wrongBy: usualError(each.errors.slice(-RECENT_GRAINS), level) }))
    .reduce((calmer, other) => (other.wrongBy < calmer.wrongBy ? other : calmer));
}

function meanSince(samples: readonly Sample[], spanMs: number): number {
  const newestAt = samples.at(-1)?.at ?? 0;
  const newest = samples.filter(({ at }) => at > newestAt - spanMs);
  return newest.reduce((sum, { value }) => sum + value, 0) / Math.max(1, newest.length);
}

function meanAt(grains: Grains, at: number): number | null {
  let sum = 0;
  let count = 0;
  for (let index = Math.max(0, at + 1 - RECENT_GRAINS); index <= at; index += 1) {
    const value = grains[index] ?? null;
    if (value === null) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

/** By the line of least squares through the last grains, drawn from the newest of them. */
function lineAt(grains: Grains, at: number, ahead: number): number | null {
  const newest = grains[at] ?? null;
  if (newest === null) return null;
  let count = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  for (let x = 1 - TREND_GRAINS; x <= 0; x += 1) {
    const y = grains[at + x] ?? null;
    if (y === null) continue;
    count += 1;
    sumX += x;
    sumY += y;
    sumXX += x * x;
    sumXY += x * y;
  }
  const spread = count * sumXX - sumX * sumX;
  const slope = spread === 0 ? 0 : (count * sumXY - sumX * sumY) / spread;
  return Math.max(0, newest + Math.min(slope * ahead, MOST_ABOVE_LEVEL * newest));
}

/** By what the load was more than foreseen, for each grain of which both are known. */
function errorsOf(forecast: Forecast, grains: Grains, ahead: number): (number | null)[] {
  return grains.slice(-ERROR_GRAINS).map((value, index) => {
    const foreseen = forecast(grains, GRAINS - ERROR_GRAINS + index - ahead, ahead);
    return value === null || foreseen === null ? null : value - foreseen;
  });
}

/** The root of their mean square. */
function usualError(errors: readonly (number | null)[], level: number): number {
  const squares = errors.map((error) => (error === null ? null : error ** 2));
  return Math.sqrt(meanWithAssumed(squares, level));
}

/**
 * The same of what was foreseen too low alone, as if the rest mirrored it: that less came than was
 * foreseen is no reason to keep more free.
 */
function usualShortfall(errors: readonly (number | null)[], level: number): number {
  const squares = errors.map((error) => (error === null ? null : 2 * Math.max(0, error) ** 2));
  return Math.sqrt(meanWithAssumed(squares, level));
}

/** Those that are not known were like those that are: a beginning is no reason to keep more free. */
function meanWithAssumed(squares: readonly (number | null)[], level: number): number {
  const known = squares.filter((square) => square !== null);
  const mean = known.reduce((sum, square) => sum + square, 0) / Math.max(1, known.length);
  return (mean * squares.length + (ASSUMED_ERROR * level) ** 2) / (squares.length + 1);
}
