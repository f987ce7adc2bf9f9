import type { Adjustment, ScalingStep, StepPolicy } from '../../model/scaling.ts';
import { isFresh, newestOf, type Sample, sharesOf, silenceText } from './measured.ts';
import { policyName, shareText, timeSpanText } from './quantity.ts';
import type { Opinion, ScalingInput } from './scaling.ts';

/**
 * Step scaling: so many more or fewer, by how far a metric is beyond a threshold, once it has been
 * beyond it for a time without a break.
 */

/** A break in the numbers: more than one is missing. */
const LONGEST_GAP_PERIODS = 2.5;

export function stepOpinion(policy: StepPolicy, input: ScalingInput): Opinion {
  const { capacity } = input;
  const { metric, source, when, threshold, forMs } = policy;
  const limit = `${when} ${shareText(metric, threshold)}`;
  const samples = sharesOf(metric, source, input.points);
  const newest = newestOf(samples, input);
  const isOfNow = newest !== null && isFresh(newest, input);
  const opinion = {
    policy: policyName('step', metric, source, limit),
    wants: null,
    // One that adds has nothing against fewer while it is not beyond; one that takes away agrees to
    // no other's taking away before it is beyond itself.
    mayShrink: when === 'above' && isOfNow,
  };
  if (!newest || (when === 'below' && !isOfNow)) {
    return { ...opinion, why: silenceText(samples, input) };
  }
  const measured = shareText(metric, newest.value);
  if (!isBeyond(policy, newest.value)) {
    return { ...opinion, why: `${measured} is not ${limit}` };
  }
  const beyondMs = beyondFor(policy, samples, input);
  if (beyondMs < forMs) {
    const lasted = `${timeSpanText(beyondMs)} of ${timeSpanText(forMs)}`;
    return { ...opinion, mayShrink: false, why: `${measured} is ${limit}, for ${lasted} yet` };
  }
  const step = stepFor(policy, newest.value);
  if (!step) return { ...opinion, why: `${measured} has no step` };
  const wants = wantedBy(step.adjustment, newest.instances, capacity.desired);
  const why = `${measured} is ${limit}: ${adjustmentText(step.adjustment)}`;
  return { ...opinion, wants, mayShrink: wants < capacity.desired && isOfNow, why };
}

/** Percentages are cut to whole instances towards none, and come to at least one. */
export function adjusted(desired: number, adjustment: Adjustment): number {
  switch (adjustment.kind) {
    case 'change':
      return Math.max(0, desired + adjustment.by);
    case 'percent': {
      const change = Math.trunc(Math.abs((desired * adjustment.by) / 100));
      const least = Math.max(1, change, adjustment.atLeast);
      return Math.max(0, desired + Math.sign(adjustment.by) * least);
    }
    case 'exactly':
      return adjustment.instances;
  }
}

function isBeyond({ when, threshold }: StepPolicy, value: number): boolean {
  return when === 'above' ? value > threshold : value < threshold;
}

/**
 * For how long without a break, a gap in the numbers being one. What is to take instances away must
 * be so for as long again after every change: the next decision is only seconds later.
 */
function beyondFor(policy: StepPolicy, samples: readonly Sample[], input: ScalingInput): number {
  const { now, periodMs, memory } = input;
  const newestAt = samples.at(-1)?.at ?? 0;
  let since = newestAt;
  for (const { at, value } of samples.toReversed()) {
    if (!isBeyond(policy, value) || since - at > LONGEST_GAP_PERIODS * periodMs) break;
    since = at;
  }
  const beyondMs = newestAt - since + periodMs;
  if (policy.when === 'above') return beyondMs;
  return Math.min(beyondMs, now - Math.max(memory.lastOutAt ?? 0, memory.lastInAt ?? 0));
}

/**
 * Those on their way or warming up are not what the metric was measured on, and are part of what is
 * to be added: a threshold that is still passed while they come asks for no more of them.
 */
function wantedBy(adjustment: Adjustment, measuredOn: number, desired: number): number {
  const isAdding = adjustment.kind !== 'exactly' && adjustment.by > 0;
  if (!isAdding) return adjusted(desired, adjustment);
  return Math.max(desired, adjusted(Math.min(measuredOn, desired), adjustment));
}

function stepFor({ steps, threshold }: StepPolicy, value: number): ScalingStep | undefined {
  const distance = Math.abs(value - threshold);
  return steps.find(({ from, to }) => from <= distance && (to === null || distance < to));
}

function adjustmentText(adjustment: Adjustment): string {
  switch (adjustment.kind) {
    case 'change':
      return countText(adjustment.by);
    case 'percent':
      return `${Math.abs(adjustment.by)}% ${adjustment.by > 0 ? 'more' : 'fewer'}`;
    case 'exactly':
      return `exactly ${adjustment.instances}`;
  }
}

const countText = (by: number): string => `${Math.abs(by)} ${by > 0 ? 'more' : 'fewer'}`;
