import type { Group } from '../model/group.ts';
import type { Instance } from '../model/instance.ts';
import { type LifecycleAnswer, type LifecycleTurn, waitEndsAt } from '../model/instance-wait.ts';
import type { Step } from '../model/step.ts';
import type { Observation, ObservedInstance } from './observation.ts';

/**
 * What becomes of an instance at a turn of its life. Where its release has it wait, it does until
 * somebody answers or the time is up; what has died, waits for nobody.
 */

/** `due`: it is to begin to wait. */
type WaitState = 'due' | 'waiting' | LifecycleAnswer;

function waitState(
  { wait }: Instance,
  turn: LifecycleTurn,
  group: Group | undefined,
  now: number,
): WaitState {
  const settings = group?.[turn] ?? null;
  if (settings === null) return 'continue';
  if (wait?.turn !== turn) return 'due';
  if (wait.answer !== null) return wait.answer;
  return now < waitEndsAt(wait, settings) ? 'waiting' : settings.otherwise;
}

/** What follows from the first passed check. */
export function afterFirstPass(
  instance: ObservedInstance,
  { environment, releases }: Observation,
  reason: string,
  now: number,
): Step | null {
  const { id } = instance;
  switch (waitState(instance, 'launching', releases.get(instance.release)?.group, now)) {
    case 'due':
      return environment.status === 'terminating' ? null : waitStep(instance, 'launching', reason);
    case 'waiting':
      return null;
    case 'abandon':
      return { kind: 'terminate', instance: id, reason: abandonment(instance), failed: true };
    case 'continue':
      return { kind: instance.warming ? 'warm' : 'admit', instance: id, reason };
  }
}

const waitStep = ({ id }: ObservedInstance, turn: LifecycleTurn, why: string): Step => ({
  kind: 'wait',
  instance: id,
  turn,
  reason: `${why}; goes on with: belay instance continue ${id}`,
});

/** Once it is on record that it waits, it has passed, whatever its checks say by now. */
export const hasComeUp = ({ wait, target }: ObservedInstance): boolean =>
  wait?.turn === 'launching' ||
  target?.health === 'healthy' ||
  target?.standby?.condition === 'healthy';

const abandonment = ({ wait }: ObservedInstance): string =>
  wait?.answer === 'abandon'
    ? 'abandoned before it took traffic'
    : 'abandoned before it took traffic: nobody said continue in time';

/** Its end, or first what it waits for; null while it waits. */
export function stopStep(
  instance: ObservedInstance,
  { environment, deployment, releases }: Observation,
  reason: string,
  now: number,
): Step | null {
  const { id } = instance;
  const group = releases.get(instance.release)?.group;
  // Who ends the environment, or aborts, does not wait to be asked about each instance.
  const isHurried = environment.status === 'terminating' || deployment?.aborted === true;
  const state = isHurried ? 'abandon' : waitState(instance, 'terminating', group, now);
  if (state === 'due') return waitStep(instance, 'terminating', reason);
  return state === 'waiting' ? null : { kind: 'terminate', instance: id, reason };
}

/** Told that it will end, and somebody may be seeing to it: it does not come back. */
export const isWaitingToEnd = ({ wait }: Instance): boolean => wait?.turn === 'terminating';

/** When nobody will have answered in time; null when it does not wait. */
export function patienceEndsAt(
  { wait, release }: ObservedInstance,
  { releases }: Pick<Observation, 'releases'>,
): number | null {
  const settings = wait && releases.get(release)?.group[wait.turn];
  return wait && settings && wait.answer === null ? waitEndsAt(wait, settings) : null;
}
