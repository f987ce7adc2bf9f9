import type { ScalingPolicy } from '../../model/scaling.ts';
import { believable } from './measured.ts';
import { predictOpinion } from './predict.ts';
import { isUnknown, remembered, withWanted } from './remembered.ts';
import { ceilings, floors, type Restraint } from './restraints.ts';
import type { Opinion, ScalingDecision, ScalingInput, ScalingMemory } from './scaling.ts';
import { capacityBySchedule, type ScheduledCapacity } from './schedule.ts';
import { stepOpinion } from './step.ts';
import { trackOpinion } from './track.ts';

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

interface Voice {
  policy: ScalingPolicy;
  opinion: Opinion;
}

interface Verdict {
  to: number;
  reason: string;
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
  isUnknown: boolean,
): ScalingMemory['wanted'] {
  if (scaling.stabilizationMs === 0) return [];
  const most = Math.max(...voices.map(({ opinion }) => opinion.wants ?? 0));
  const isRaised = capacity.desired > (memory.left ?? Infinity);
  const wanted = isRaised || isUnknown ? Math.max(most, capacity.desired) : most;
  return withWanted(memory.wanted, now, wanted);
}

function verdictOf(voices: readonly Voice[], input: ScalingInput): Verdict {
  const { desired } = input.capacity;
  const leader = leaderOf(voices);
  const stays = (why: string): Verdict => ({ to: desired, reason: `stays at ${desired}: ${why}` });
  if (leader && leader.wants > desired) return grown(leader, input);
  if (voices.length === 0) return stays('no policy is about the load');
  const against = voices.filter(({ opinion }) => !opinion.mayShrink);
  const told = against.length > 0 ? against : voices;
  if (!leader || against.length > 0 || !voices.some((voice) => takesAway(voice, desired))) {
    return stays(told.map(({ opinion }) => opinionText(opinion)).join('; '));
  }
  return shrunk(leader, input);
}

interface Leader {
  opinion: Opinion;
  wants: number;
}

/** Whoever wants most. */
function leaderOf(voices: readonly Voice[]): Leader | null {
  return voices.reduce<Leader | null>((leader, { opinion }) => {
    const { wants } = opinion;
    if (wants === null || (leader && leader.wants >= wants)) return leader;
    return { opinion, wants };
  }, null);
}

/** Predictions and policies that may only add agree to fewer, and ask for no fewer. */
function takesAway({ policy, opinion }: Voice, desired: number): boolean {
  if (opinion.wants === null || opinion.wants >= desired) return false;
  return policy.kind === 'step' || (policy.kind === 'track' && policy.scaleIn);
}

function grown({ opinion, wants }: Leader, input: ScalingInput): Verdict {
  const { desired } = input.capacity;
  const bound = lowest(ceilings(input));
  const reason = opinionText(opinion);
  if (bound.limit >= wants) return { to: wants, reason: `${wants - desired} more: ${reason}` };
  const to = Math.max(desired, bound.limit);
  const change = to > desired ? `${to - desired} more` : `stays at ${desired}`;
  return { to, reason: `${change}: ${reason}; ${bound.why}` };
}

function shrunk({ opinion, wants }: Leader, input: ScalingInput): Verdict {
  const { desired } = input.capacity;
  const bound = highest(floors(input));
  const reason = opinionText(opinion);
  if (bound.limit <= wants) return { to: wants, reason: `${desired - wants} fewer: ${reason}` };
  const to = Math.min(desired, bound.limit);
  const change = to < desired ? `${desired - to} fewer` : `stays at ${desired}`;
  return { to, reason: `${change}: ${reason}; but ${bound.why}` };
}

const lowest = (bounds: readonly Restraint[]): Restraint =>
  bounds.reduce((least, bound) => (bound.limit < least.limit ? bound : least));

const highest = (bounds: readonly Restraint[]): Restraint =>
  bounds.reduce((most, bound) => (bound.limit > most.limit ? bound : most));

const opinionText = ({ policy, why }: Opinion): string => `${policy}: ${why}`;

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
