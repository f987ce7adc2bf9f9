import type { Capacity } from '../model/configuration.ts';
import type { Environment } from '../model/environment.ts';
import type { Scaling } from '../model/scaling.ts';
import { capacityBySchedule } from '../plan/scaling/schedule.ts';
import type { Records } from './records.ts';

/** The capacity of an environment: between which bounds it may be, and the one way to change it. */

export type Bounds = Pick<Capacity, 'min' | 'max'>;

/** What schedules make of the bounds that were set; those themselves stay as they are. */
export function boundsInForce(capacity: Capacity, { policies }: Scaling, now: number): Bounds {
  const { min, max } = capacityBySchedule(policies, capacity, now, {});
  return { min, max };
}

export const within = (desired: number, { min, max }: Bounds): number =>
  Math.min(max, Math.max(min, desired));

/** Some policy moves `desired` by what is measured, not by the calendar alone. */
export const followsLoad = ({ policies }: Scaling): boolean =>
  policies.some(({ kind }) => kind !== 'schedule');

/**
 * Writes a change down, in the caller's transaction. A running deployment that is turned back goes
 * back to the bounds there were before it, where nobody has changed them meanwhile.
 */
export function saveCapacity(
  environment: Environment,
  change: Partial<Bounds> & Pick<Capacity, 'desired'>,
  records: Records,
  now: number,
): void {
  const { key, capacity } = environment;
  records.saveEnvironment({ ...environment, capacity: { ...capacity, ...change } });
  const running = records.runningDeployment(key);
  if (!running) return;
  const before = { ...running.capacityBefore, ...change };
  const from = running.from === null ? undefined : records.release(key, running.from);
  const bounds = from ? boundsInForce(before, from.configuration.web.scaling, now) : before;
  const desired = within(before.desired, bounds);
  records.saveDeployment({ ...running, capacityBefore: { ...before, desired } });
}
