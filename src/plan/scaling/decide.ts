import type { ScalingPolicy } from '../../model/scaling.ts';
import { believable } from './measured.ts';
import { predictOpinion } from './predict.ts';
import { isUnknown, remembered, withWanted } from './remembered.ts';
import type { ScalingDecision, ScalingInput, ScalingMemory } from './scaling.ts';
import { capacityBySchedule, type ScheduledCapacity } from './schedule.ts';
import { stepOpinion } from './step.ts';
import { trackOpinion } from './track.ts';
import { type Voice, verdictOf } from './verdict.ts';

/**
 * How many instances there should be: out if any policy wants it, in only if all agree, always
 * within the bounds in force. Whoever knows nothing agrees to nothing, so that what was not measured
 * takes no instance away. Deciding not to change anything is a decision, and has its reason.
 */
export function decideScaling(input: ScalingInput): ScalingDecision {
  const { now, capacity, scaling, memory } = input;
  const calendar = capacityBySchedule(scaling.policies, capacity, now, memory.scheduled);
  const asked = askedFor(input, calendar);
  const voices = scaling.policies.flatMap((policy) => voiceOf(policy, asked));
  const wanted = isTracked(voices)
    ? wantedAfter(voices, asked, isUnknown(input))
    : asked.memory.wanted;
  const verdict = verdictOf(voices, { ...asked, memory: { ...asked.memory, wanted } });
  const { min, max } = asked.capacity;
  const to = Math.min(max, Math.max(min, verdict.to));
  const from = capacity.desired;
  return {
    at: now,
    from,
    to,
    min,
    max,
    reason: [...calendarReasons(input, asked, calendar), verdict.reason].join('; '),
    opinions: [...voices.map(({ opinion }) => opinion), ...calendar.opinions],
    memory: {
      wanted,
      lastOutAt: to > from ? now : asked.memory.lastOutAt,
      lastInAt: to < from ? now : asked.memory.lastInAt,
      left: to,
      scheduled: asked.memory.scheduled,
    },
  };
}

/** With the bounds in force and what can be believed of the numbers and the memory. */
function askedFor(input: ScalingInput, { min, max, desired, scheduled }: ScheduledCapacity) {
  const current = Math.min(max, Math.max(min, input.capacity.desired));
  // What a schedule would take away has to wait for the end of a deployment.
  const isHeld = desired !== null && desired < current && input.deploying;
  const memory = remembered(input);
  return {
    ...input,
    capacity: { min, max, desired: isHeld ? current : (desired ?? current) },
    points: believable(input),
    memory: { ...memory, scheduled: isHeld ? memory.scheduled : scheduled },
  };
}

function voiceOf(policy: ScalingPolicy, input: ScalingInput): Voice[] {
  switch (policy.kind) {
    case 'track':
      return [{ policy, opinion: trackOpinion(policy, input) }];
    case 'step':
      return [{ policy, opinion: stepOpinion(policy, input) }];
    case 'predict':
      return [{ policy, opinion: predictOpinion(policy, input) }];
    case 'schedule':
      return [];
  }
}

/** Steps are of no stabilisation window: what they wait for is their `for`. */
const isTracked = (voices: readonly Voice[]): boolean =>
  voices.some(({ policy, opinion }) => policy.kind === 'track' && opinion.wants !== null);

/**
 * What was wanted within the stabilisation window, up to now. What a person or a schedule has raised
 * it to was wanted as well, and so was what there is where nothing is known.
 */
function wantedAfter(
  voices: readonly Voice[],
  { now, capacity, memory, scaling }: ScalingInput,
  isFirst: boolean,
): ScalingMemory['wanted'] {
  if (scaling.stabilizationMs === 0) return [];
  const most = Math.max(...voices.map(({ opinion }) => opinion.wants ?? 0));
  const isRaised = capacity.desired > (memory.left ?? Infinity);
  const wanted = isRaised || isFirst ? Math.max(most, capacity.desired) : most;
  return withWanted(memory.wanted, now, wanted);
}

/** What moved it before any policy was asked. */
function calendarReasons(
  { capacity }: ScalingInput,
  { capacity: inForce }: ScalingInput,
  calendar: ScheduledCapacity,
): string[] {
  const { min, max, desired } = inForce;
  if (calendar.desired === desired) return [`a schedule sets desired to ${desired}`];
  if (capacity.desired < min) return [`min is ${min}`];
  return capacity.desired > max ? [`max is ${max}`] : [];
}
