import type { TrackPolicy } from '../../model/scaling.ts';
import { horizonOf } from './forecast-load.ts';
import { isFresh, newestOf, type Sample, silenceText } from './measured.ts';
import { instancesText, numberText, policyName, shareText } from './quantity.ts';
import type { MetricPoint, Opinion, ScalingInput } from './scaling.ts';

/**
 * Latency does not halve when instances double: it hardly moves until there is too much to do, and
 * then it leaps; and what makes it leap may be something that all instances wait for. So it is
 * followed in bounded steps, each of which has had time to show what it did, and none is taken back
 * unless the rest has been seen to bear it.
 */

/** At most a half more at a time, at least one. */
const STEP_OUT = 0.5;
/** A quarter fewer at a time, at least one. */
const STEP_IN = 0.25;
/** Far below the target: less than half of it. */
const FAR_BELOW = 0.5;
/** Judged by the median of so many points, over so long: one slow moment is no trend. */
const POINTS_JUDGED = 3;
const JUDGED_MS = 6_000;
/** What instances have been seen to bear is that of the last day: releases differ. */
const DAY_MINUTES = 1_440;

export function latencyOpinion(policy: TrackPolicy, input: ScalingInput): Opinion {
  const { desired } = input.capacity;
  const limit = shareText('p99', policy.target);
  const name = policyName('track', 'p99', null, limit);
  const samples = latenciesOf(input.points);
  if (!newestOf(samples, input)) {
    return { policy: name, wants: null, mayShrink: false, why: silenceText(samples, input) };
  }
  const latencyMs = medianOf(samples.slice(-pointsJudged(input)));
  const { wants, why } = wantedAt(latencyMs, policy.target, input);
  const mayShrink = wants < desired && samples.slice(-1).every((each) => isFresh(each, input));
  return { policy: name, wants, mayShrink, why: `${shareText('p99', latencyMs)} ${why}` };
}

const pointsJudged = ({ periodMs }: ScalingInput): number =>
  Math.max(POINTS_JUDGED, Math.ceil(JUDGED_MS / periodMs));

/** Where nothing was asked, nothing was slow. */
function latenciesOf(points: readonly MetricPoint[]): Sample[] {
  return points.flatMap(({ at, instances, p99Ms, requestsPerMinute }) => {
    const value = p99Ms ?? (requestsPerMinute === 0 ? 0 : null);
    return value !== null && value >= 0 && Number.isFinite(value) ? [{ at, instances, value }] : [];
  });
}

function medianOf(samples: readonly Sample[]): number {
  const values = samples.map(({ value }) => value).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? 0;
}

interface Wanted {
  wants: number;
  why: string;
}

function wantedAt(latencyMs: number, target: number, input: ScalingInput): Wanted {
  const { desired } = input.capacity;
  if (latencyMs > target) return wantedAbove(latencyMs / target - 1, input);
  if (latencyMs >= target * FAR_BELOW || desired <= 1) {
    return { wants: desired, why: `suits ${instancesText(desired)}` };
  }
  return wantedFarBelow(target, input);
}

/** @param excess by what share it is above the target */
function wantedAbove(excess: number, input: ScalingInput): Wanted {
  const { desired } = input.capacity;
  if (!hasShownItself(input)) {
    return { wants: desired, why: 'may fall yet, with the instances that have just come' };
  }
  const added = Math.max(1, Math.floor(desired * Math.min(STEP_OUT, excess)));
  return { wants: desired + added, why: `asks for ${added} more` };
}

/** Whether all that is desired serves, and has for as many points as are judged. */
function hasShownItself(input: ScalingInput): boolean {
  const { now, periodMs, fleet, memory } = input;
  if (fleet.starting > 0) return false;
  const neededMs = horizonOf(input) + pointsJudged(input) * periodMs;
  return memory.lastOutAt === null || now - memory.lastOutAt >= neededMs;
}

function wantedFarBelow(target: number, input: ScalingInput): Wanted {
  const { desired } = input.capacity;
  const wants = desired - Math.max(1, Math.floor(desired * STEP_IN));
  const loads = input.points.slice(-pointsJudged(input)).map((point) => point.requestsPerMinute);
  const load = loads.reduce((most, each) => Math.max(most ?? 0, each ?? Infinity), 0) ?? 0;
  const shown = Math.max(
    mostBorne(target, input.history.slice(-DAY_MINUTES), 1),
    mostBorne(target, input.points, pointsJudged(input)),
  );
  const perInstance = load / wants;
  if (perInstance <= shown) {
    return { wants, why: `is far below, and ${instancesText(wants)} have borne as much` };
  }
  const each = `${numberText(perInstance)} requests a minute each`;
  return {
    wants: desired,
    why: `is far below, but nothing has shown that ${instancesText(wants)} bear ${each}`,
  };
}

/**
 * The most requests a minute that an instance has answered within the target, for so many points one
 * after the other: the moment in which load leaps is answered well, and says nothing.
 */
function mostBorne(target: number, points: readonly MetricPoint[], inARow: number): number {
  let most = 0;
  let borne: number[] = [];
  for (const { requestsPerMinute, instances, p99Ms } of points) {
    if (requestsPerMinute === null || instances === 0 || p99Ms === null || p99Ms > target) {
      borne = [];
      continue;
    }
    borne = [...borne, requestsPerMinute / instances].slice(-inARow);
    if (borne.length === inARow) most = Math.max(most, Math.min(...borne));
  }
  return most;
}
