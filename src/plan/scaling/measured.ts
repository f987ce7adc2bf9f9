import type { MetricSource, ScalingMetric } from '../../model/scaling.ts';
import { timeSpanText } from './quantity.ts';
import type { MetricPoint, ScalingInput } from './scaling.ts';

/** One number at the end of a period. */
export interface Sample {
  at: number;
  value: number;
  /** On so many instances. */
  instances: number;
}

type Moment = Pick<ScalingInput, 'now' | 'periodMs'>;

/**
 * A number is of now until two periods, or two decisions, have gone by without a newer one. What was
 * too much a moment before that is still a reason to add, for a while: who is busy measures late.
 */
const FRESH_PERIODS = 2;
const FRESH_MS = 4_000;
const SILENCE_PERIODS = 3;
const SILENCE_MS = 10_000;
/** Clocks of the same machine agree better than this. */
const FUTURE_PERIODS = 1;

/**
 * The points that one clock has stamped: nothing from the future, and nothing from before a step
 * back of the clock, which would be taken for what happens again.
 */
export function believable({ points, now, periodMs }: ScalingInput): readonly MetricPoint[] {
  const until = now + FUTURE_PERIODS * periodMs;
  const past = points.filter(({ at }) => at <= until);
  const step = past.findLastIndex(({ at }, index) => at <= (past[index - 1]?.at ?? -Infinity));
  return step > 0 ? past.slice(step) : past;
}

/** The newest number; null when it is too old to say anything. */
export function newestOf(samples: readonly Sample[], { now, periodMs }: Moment): Sample | null {
  const newest = samples.at(-1);
  return newest && now - newest.at <= Math.max(SILENCE_MS, SILENCE_PERIODS * periodMs)
    ? newest
    : null;
}

/** Whether a number is of now. Without one nothing may be taken away. */
export const isFresh = ({ at }: Sample, { now, periodMs }: Moment): boolean =>
  now - at <= Math.max(FRESH_MS, FRESH_PERIODS * periodMs);

/** What a whole group had to bear; null: not measured, or not a number that can be. */
export function totalAt(
  metric: ScalingMetric,
  source: MetricSource | null,
  point: MetricPoint,
): number | null {
  const total = measuredAt(metric, source, point);
  return total !== null && Number.isFinite(total) && total >= 0 ? total : null;
}

/** What one of its instances had to bear, where the metric was measured. */
export function sharesOf(
  metric: ScalingMetric,
  source: MetricSource | null,
  points: readonly MetricPoint[],
): Sample[] {
  return points.flatMap((point) => {
    const { at, instances } = point;
    const total = totalAt(metric, source, point);
    if (total === null) return [];
    if (metric === 'p99') return [{ at, value: total, instances }];
    return instances === 0 ? [] : [{ at, value: total / instances, instances }];
  });
}

function measuredAt(
  metric: ScalingMetric,
  source: MetricSource | null,
  point: MetricPoint,
): number | null {
  switch (metric) {
    case 'cpu':
      return point.cpuPercent;
    case 'requests-per-instance':
      return point.requestsPerMinute;
    case 'concurrency':
      return point.concurrency;
    case 'p99':
      return point.p99Ms;
    case 'backlog-per-instance':
      return point.reported[source?.name ?? ''] ?? null;
  }
}

/** Why a policy that has no number of now says nothing. */
export function silenceText(samples: readonly Sample[], { now }: Moment): string {
  const last = samples.at(-1);
  return last ? `has had no number for ${timeSpanText(now - last.at)}` : 'has no number';
}
