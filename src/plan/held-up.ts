import { type Backoff, backoffOf, crashLoopSentence } from './backoff.ts';
import { goalOf } from './environment.ts';
import { type Fleet, fleetOf } from './fleet.ts';
import type { Diagnosis } from './health.ts';
import type { Observation, ReleaseNeeds } from './observation.ts';
import { preferenceOf } from './placement.ts';
import { imbalance } from './rebalance.ts';

/** What is wanted at rest and does not come about, while as many serve as are desired. */
export function diagnoseHeldUp(observation: Observation, now: number): Diagnosis | null {
  const goal = goalOf(observation);
  if (!goal || goal.upstream) return null;
  const fleet = fleetOf(observation.instances, goal, now);
  const backoff = backoffOf(observation.failures, goal.number, now);
  return (
    (backoff.crashLooping ? unreplaced(fleet, goal, backoff, now) : null) ??
    tooManyProtected(fleet, observation)
  );
}

/** Instances that are to go serve on, because no other comes up. */
function unreplaced(
  fleet: Fleet,
  goal: ReleaseNeeds,
  backoff: Backoff,
  now: number,
): Diagnosis | null {
  const why = crashLoopSentence(goal.number, backoff, now);
  const [waiting] = [...fleet.sick, ...fleet.outgoing];
  if (waiting) return { health: 'warning', cause: `${waiting.id} cannot be replaced: ${why}` };
  const uneven = imbalance(fleet.ready, preferenceOf(goal));
  if (!uneven) return null;
  return { health: 'warning', cause: `${uneven.reason}, and nothing more comes up: ${why}` };
}

function tooManyProtected({ ready }: Fleet, { environment }: Observation): Diagnosis | null {
  const { desired } = environment.capacity;
  if (ready.length <= desired || ready.some(({ isProtected }) => !isProtected)) return null;
  const are = ready.length === 1 ? 'instance in service' : 'instances in service';
  const cause = `${ready.length} ${are}, ${desired} desired: all are protected from scale-in`;
  return { health: 'info', cause };
}
