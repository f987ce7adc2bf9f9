import type { Growths } from './predict-growth.ts';
import { DAY_MINUTES, foresee, type Rhythm } from './predict-rhythm.ts';

/**
 * Forecasts held to what then happened: for moments of the last week, each is made anew from what
 * was known before it.
 */
export interface Trial {
  /** How much of the past could be judged. */
  judgedMinutes: number;
  /** What the usual growth was wrong by, all in all, as a share of what came. */
  error: number;
  /** The same of the best growth for all times of the day, with hindsight: what there is to beat. */
  errorWithoutRhythm: number;
  /** The share of moments at which more came than the instances it would have wanted can bear. */
  short: number;
}

const JUDGED_DAYS = 7;
/** Neighbours see the same: a tenth of them says as much. */
const EVERY_MINUTES = 10;

/** A whole turn of the day, so that no time of it goes unjudged. */
const LEAST_JUDGED_MINUTES = DAY_MINUTES;
/** Who is wrong by more does as well to keep a quarter more instances all day. */
const MOST_ERROR = 0.25;
/** Beyond one moment in ten, the days before do not tell what comes. */
const MOST_SHORT = 0.1;

/** Null: there is nothing that could be judged. */
export function tryOut(growths: Growths, rhythm: Rhythm, target: number): Trial | null {
  const { values, levels, firstMinute } = growths;
  const begin = Math.max(0, values.length - JUDGED_DAYS * DAY_MINUTES);
  const always = middleOf(values.subarray(begin));
  let moments = 0;
  let short = 0;
  let wrong = 0;
  let wrongWithoutRhythm = 0;
  let came = 0;
  for (let at = begin; at < values.length; at += EVERY_MINUTES) {
    const growth = values[at] ?? Number.NaN;
    const foreseen = Number.isNaN(growth) ? null : foresee(growths, rhythm, firstMinute + at);
    if (!foreseen) continue;
    const level = levels[at] ?? 0;
    moments += 1;
    came += level * growth;
    wrong += level * Math.abs(growth - foreseen.usual);
    wrongWithoutRhythm += level * Math.abs(growth - always);
    if (level * growth > target * Math.ceil((level * foreseen.most) / target)) short += 1;
  }
  if (moments === 0) return null;
  return {
    judgedMinutes: moments * EVERY_MINUTES,
    error: wrong / came,
    errorWithoutRhythm: wrongWithoutRhythm / came,
    short: short / moments,
  };
}

function middleOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  return known[known.length >> 1] ?? Number.NaN;
}

/** Why it must not act yet; null: it may. */
export function doubtAbout({ judgedMinutes, error, short }: Trial): string | null {
  if (judgedMinutes < LEAST_JUDGED_MINUTES) return 'it has been judged for less than a day';
  if (error > MOST_ERROR) return 'it is wrong by more than a quarter';
  if (short > MOST_SHORT) return 'it would have been short too often';
  return null;
}
