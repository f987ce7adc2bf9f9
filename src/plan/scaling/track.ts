import type { TrackPolicy } from '../../model/scaling.ts';
import { demandOf, type SharedMetric } from './demand.ts';
import { forecastLoad, horizonOf, type LoadForecast, loadWith, reachMs } from './forecast-load.ts';
import { latencyOpinion } from './latency.ts';
import { isFresh, newestOf, silenceText } from './measured.ts';
import { instancesText, policyName, shareText, timeSpanText, totalText } from './quantity.ts';
import type { Opinion, ScalingInput } from './scaling.ts';

/**
 * Target tracking: so many instances that each has no more than the target when capacity ordered
 * now serves. The target is what an instance can bear; what is kept free beyond it follows from how
 * restless the load is.
 */

/**
 * Fewer are enough only if they would leave twice the headroom: what comes and goes with the noise
 * would be started and stopped again and again.
 */
const HEADROOMS_TO_SHRINK = 2;

export function trackOpinion(policy: TrackPolicy, input: ScalingInput): Opinion {
  if (policy.metric === 'p99') return latencyOpinion(policy, input);
  return shareOpinion(policy, policy.metric, input);
}

function shareOpinion(policy: TrackPolicy, metric: SharedMetric, input: ScalingInput): Opinion {
  const { now, periodMs, capacity, points } = input;
  const name = policyName('track', metric, policy.source, shareText(metric, policy.target));
  const horizonMs = horizonOf(input);
  const since = now - reachMs(horizonMs, periodMs);
  const recent = points.filter(({ at }) => at > since);
  const samples = demandOf(metric, policy.source, recent, points);
  const newest = newestOf(samples, input);
  if (!newest) {
    return { policy: name, wants: null, mayShrink: false, why: silenceText(samples, input) };
  }
  const forecast = forecastLoad(samples, periodMs, horizonMs);
  const wanted = wantedFor(forecast, policy.target, capacity.desired);
  return {
    policy: name,
    wants: wanted.instances,
    mayShrink: wanted.instances < capacity.desired && isFresh(newest, input),
    why: whyText(policy, forecast, wanted),
  };
}

interface Wanted {
  /** Without a margin. */
  needed: number;
  instances: number;
}

/** @param desired of which fewer are wanted only with a margin */
function wantedFor(forecast: LoadForecast, target: number, desired: number): Wanted {
  // The last instance is not a matter of load but of being idle.
  const least = Math.min(1, desired);
  const needed = Math.max(least, Math.ceil(loadWith(forecast, 1) / target));
  if (needed >= desired) return { needed, instances: needed };
  const withMargin = Math.ceil(loadWith(forecast, HEADROOMS_TO_SHRINK) / target);
  return { needed, instances: Math.max(needed, Math.min(desired, withMargin)) };
}

function whyText(policy: TrackPolicy, forecast: LoadForecast, wanted: Wanted): string {
  const { metric, target } = policy;
  const { level, expected, headroom, horizonMs } = forecast;
  const { needed, instances } = wanted;
  const margin = `, and ${instances} until fewer leave twice as much free`;
  return [
    `${totalText(metric, level)} now,`,
    `${totalText(metric, expected)} expected in ${timeSpanText(horizonMs)}`,
    `and ${totalText(metric, headroom)} kept free,`,
    `at ${shareText(metric, target)} each: ${instancesText(needed)}`,
  ]
    .join(' ')
    .concat(needed === instances ? '' : margin);
}
