import type { PredictPolicy, ScalingPolicy, TrackPolicy } from '../../model/scaling.ts';
import { demandOf, type SharedMetric } from './demand.ts';
import { horizonOf } from './forecast-load.ts';
import type { Sample } from './measured.ts';
import { type Growths, growthsOf, LEVEL_MINUTES, minuteOf } from './predict-growth.ts';
import {
  DAILY,
  DAY_MINUTES,
  type Foreseen,
  foresee,
  type Rhythm,
  WEEKLY,
} from './predict-rhythm.ts';
import { doubtAbout, type Trial, tryOut } from './predict-trial.ts';
import { instancesText, shareText, timeSpanText, totalText } from './quantity.ts';
import type { Opinion, ScalingInput } from './scaling.ts';

/**
 * Capacity ahead of the day and the week: by how much the load grew at this time of the days before,
 * it may grow today, from where it is now. It only ever raises, and nothing before it has been right
 * on its own past.
 */

/** What was learned of one thing that is tracked. Made anew once in a while, by whoever asks. */
export interface Forecast {
  policy: TrackedPolicy;
  growths: Growths;
  rhythm: Rhythm;
  /** Null: there was nothing to judge it by. */
  trial: Trial | null;
  horizonMs: number;
}

type TrackedPolicy = TrackPolicy & { metric: SharedMetric };

type Learnable = Pick<ScalingInput, 'now' | 'history' | 'scaling' | 'bootMs' | 'periodMs'>;

const MINUTE_MS = 60_000;
/** Beyond the time that capacity takes to come: what comes early is still met. */
const MARGIN_MS = MINUTE_MS;
/** Four weeks, and the one that is judged by them. */
const PAST_MS = 35 * DAY_MINUTES * MINUTE_MS;
/** Of the target of one instance: changes of less do not matter to how many there are. */
const FLOOR_SHARE = 0.02;
/** Without a newer number nothing can be said about what follows. */
const STALE_MS = 2 * MINUTE_MS;

/** One for each thing that is tracked, as far as there is a past of it. */
export function learn({ now, history, scaling, bootMs, periodMs }: Learnable): Forecast[] {
  const horizonMs = horizonOf({ bootMs, scaling, periodMs }) + MARGIN_MS;
  // What a clock stamped that was wrong is not of the past that is compared.
  const past = history.filter(({ at }) => at <= now && at > now - PAST_MS);
  return scaling.policies.filter(isTracked).flatMap((policy) => {
    const samples = demandOf(policy.metric, policy.source, past);
    const horizonMinutes = Math.ceil(horizonMs / MINUTE_MS);
    const growths = growthsOf(samples, horizonMinutes, FLOOR_SHARE * policy.target);
    return growths ? [{ policy, growths, horizonMs, ...chooseRhythm(growths, policy.target) }] : [];
  });
}

const isTracked = (policy: ScalingPolicy): policy is TrackedPolicy =>
  policy.kind === 'track' && policy.metric !== 'p99';

/** The week where it has been right oftener than the day, over as long a time. */
function chooseRhythm(growths: Growths, target: number): Pick<Forecast, 'rhythm' | 'trial'> {
  const day = { rhythm: DAILY, trial: tryOut(growths, DAILY, target) };
  const week = { rhythm: WEEKLY, trial: tryOut(growths, WEEKLY, target) };
  if (!day.trial || !week.trial || week.trial.judgedMinutes < day.trial.judgedMinutes) return day;
  return week.trial.error < day.trial.error ? week : day;
}

/** Without forecasts that were learned lately it learns on the spot. */
export function predictOpinion({ mode }: PredictPolicy, input: ScalingInput): Opinion {
  const forecasts = input.forecasts ?? learn(input);
  const views = forecasts.flatMap((forecast) => viewOf(forecast, input) ?? []);
  const silent = { policy: 'predict', wants: null, mayShrink: true };
  const [first] = views;
  if (!first) return { ...silent, why: 'has no number of now, or none of this time of the day' };
  const able = views.filter(({ doubt }) => doubt === null);
  if (mode === 'forecast-only' || able.length === 0) {
    const reason = mode === 'forecast-only' ? 'it is told to' : first.doubt;
    return { ...silent, why: `only forecasts, for ${reason}: ${whyText(first)}` };
  }
  const highest = able.reduce((most, view) => (view.wants > most.wants ? view : most));
  return {
    policy: 'predict',
    wants: highest.wants,
    mayShrink: highest.wants < input.capacity.desired,
    why: whyText(highest),
  };
}

/** What one forecast says of the moment. */
interface View extends Foreseen {
  forecast: Forecast;
  level: number;
  wants: number;
  doubt: string | null;
}

function viewOf(forecast: Forecast, { points, now }: ScalingInput): View | null {
  const { policy, growths, rhythm, trial } = forecast;
  const level = levelOf(demandOf(policy.metric, policy.source, recent(points, now)), now);
  const foreseen = foresee(growths, rhythm, minuteOf(now));
  if (level === null || foreseen === null) return null;
  const floor = FLOOR_SHARE * policy.target;
  // A load that always falls now is not why there should be fewer.
  const most = Math.max(level, (level + floor) * foreseen.most - floor);
  const doubt = trial ? doubtAbout(trial) : 'it could not be judged yet';
  return { ...foreseen, forecast, level, wants: Math.ceil(most / policy.target), doubt };
}

const recent = (points: ScalingInput['points'], now: number): ScalingInput['points'] =>
  points.filter(({ at }) => at > now - LEVEL_MINUTES * MINUTE_MS && at <= now + MINUTE_MS);

function levelOf(samples: readonly Sample[], now: number): number | null {
  const newest = samples.at(-1);
  if (!newest || now - newest.at > STALE_MS) return null;
  return samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
}

function whyText({ forecast, level, most, days, wants }: View): string {
  const { policy, rhythm, trial, horizonMs } = forecast;
  const compared = rhythm.name === 'day' ? 'days' : 'weeks';
  return [
    `${totalText(policy.metric, level)} now, and at this time of the last ${days} ${compared}`,
    `up to ${Math.max(0, Math.round(100 * (most - 1)))} % more came within ${timeSpanText(horizonMs)},`,
    `at ${shareText(policy.metric, policy.target)} each: ${instancesText(wants)};`,
    trial ? trialText(trial) : 'not judged yet',
  ].join(' ');
}

function trialText({ judgedMinutes, error, errorWithoutRhythm, short }: Trial): string {
  const days = Math.round((10 * judgedMinutes) / DAY_MINUTES) / 10;
  return [
    `over the last ${days} days its forecasts were wrong by ${percent(error)}`,
    `(${percent(errorWithoutRhythm)} without the time of the day), and would have been short ${percent(short)} of the time`,
  ].join(' ');
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
