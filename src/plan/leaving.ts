import { DRAIN_CLOSE_MS } from '../model/snapshot.ts';
import type { Step } from '../model/step.ts';
import { isAside } from './fleet.ts';
import { stopStep } from './lifecycle-waits.ts';
import type { Observation, ObservedInstance, ObservedTarget, ReleaseNeeds } from './observation.ts';
import type { Wakes } from './wakes.ts';

/** Drained instances stop, or stay warm when the policy keeps them; kept ones go when time is up. */
export function leavingStep(
  instance: ObservedInstance,
  observation: Observation,
  goal: ReleaseNeeds | null,
  now: number,
  wakes: Wakes,
): Step | null {
  if (instance.state === 'terminating') {
    return { kind: 'terminate', instance: instance.id, reason: instance.reason };
  }
  if (instance.state === 'draining') {
    const drained = drainedReason(instance, observation, now, wakes);
    if (drained === null) return null;
    if (isAside(instance, goal)) {
      return { kind: 'hold', instance: instance.id, reason: 'on standby by hand' };
    }
    return isKept(instance, observation, goal)
      ? { kind: 'hold', instance: instance.id, reason: drained }
      : stopStep(instance, observation, drained, now);
  }
  if (instance.state === 'warmed') {
    const { deployment } = observation;
    // Until it has settled, the deployment may turn back to where they are of use.
    if (deployment?.state === 'running' && instance.release === deployment.from) return null;
    return stopStep(instance, observation, 'its release is no longer wanted', now);
  }
  if (isAside(instance, goal)) return null;
  const keepUntil = instance.since + (goal?.rollout.keepMs ?? 0);
  if (isKept(instance, observation, goal) && now < keepUntil) {
    wakes.at(keepUntil);
    return null;
  }
  const why = instance.wish?.kind === 'replace' ? 'ended by hand' : 'no longer kept warm';
  return stopStep(instance, observation, why, now);
}

/** Kept warm: the release before this one, while nothing is wrong with this one. */
function isKept(
  instance: ObservedInstance,
  { deployment }: Observation,
  goal: ReleaseNeeds | null,
): boolean {
  if (!goal || goal.rollout.keepMs === 0 || instance.release === goal.number) return false;
  if (!deployment) return instance.state === 'standby';
  return deployment.state === 'running' && instance.release === deployment.from;
}

function drainedReason(
  instance: ObservedInstance,
  { releases, acknowledgedSnapshot }: Observation,
  now: number,
  wakes: Wakes,
): string | null {
  const drainMs = releases.get(instance.release)?.drainMs ?? 0;
  const deadline = instance.since + drainMs + DRAIN_CLOSE_MS;
  if (now >= deadline) return 'its drain deadline passed';
  wakes.at(deadline);
  const unrouted =
    instance.unroutedBy !== null &&
    acknowledgedSnapshot !== null &&
    acknowledgedSnapshot >= instance.unroutedBy;
  const empty = !instance.target || isEmpty(instance.target);
  return unrouted && empty ? 'drained' : null;
}

/** Counts from before the edge began to drain it say nothing. */
const isEmpty = ({ health, inFlight, tunnels }: ObservedTarget): boolean =>
  health === 'draining' && inFlight + tunnels === 0;
