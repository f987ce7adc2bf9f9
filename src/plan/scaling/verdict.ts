import type { ScalingPolicy } from '../../model/scaling.ts';
import { ceilings, floors, type Restraint } from './restraints.ts';
import type { Opinion, ScalingInput } from './scaling.ts';

/** What comes of several opinions: out if any wants, in only if all agree, as far as is allowed. */

/** A policy and what it says. */
export interface Voice {
  policy: ScalingPolicy;
  opinion: Opinion;
}

/** How many, and why. */
export interface Verdict {
  to: number;
  reason: string;
}

export function verdictOf(voices: readonly Voice[], input: ScalingInput): Verdict {
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
