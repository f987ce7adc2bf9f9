import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Machine } from '../kernel/machine.ts';
import type { Capacity } from '../model/configuration.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import { limitsOf, sizeOf } from '../model/release.ts';
import { overcommitment } from '../plan/overcommitment.ts';
import { type Bounds, boundsInForce, saveCapacity, within } from './capacity.ts';
import type { EventFeed } from './event-feed.ts';
import { goalNumber } from './observe.ts';
import type { Records } from './records.ts';
import { command, refuseBadCapacity, terminating } from './refusals.ts';

/** `belay scale`: where there are policies, they carry on from what it sets. */

interface Parts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
  machine: () => Machine | null;
  wake: (environment: string) => void;
}

/**
 * @param force although the machine has too little
 * @throws `bad-capacity`, `overcommitted`, `environment-terminating`
 */
export function scaleEnvironment(
  key: EnvironmentKey,
  change: Partial<Capacity>,
  force: boolean,
  { records, feed, clock, machine, wake }: Parts,
): void {
  const environment = records.environment(key);
  if (environment.status === 'terminating') throw terminating(environment);
  const before = environment.capacity.desired;
  const now = clock.now();
  const asked = { ...environment.capacity, ...change };
  const bounds = boundsFor(environment, asked, records, now);
  const desired = change.desired ?? within(before, bounds);
  refuseOutside(environment, { ...asked, desired }, bounds);
  if (desired > before && !force) {
    refuseOvercommitted(environment, { ...asked, desired }, records, machine());
  }
  records.transaction(() => {
    saveCapacity(environment, { ...change, desired }, records, now);
    feed.publish({
      environment: key,
      severity: 'info',
      type: 'scaled',
      message: capacityText({ ...asked, desired }, environment.capacity),
    });
  });
  wake(key);
}

/** Bounds that stay are told once. */
function capacityText({ min, desired, max }: Capacity, before: Capacity): string {
  const isMoved = min !== before.min || max !== before.max;
  const was = isMoved ? ` (min ${before.min}, max ${before.max})` : '';
  return `capacity is now ${desired} (min ${min}, max ${max}); it was ${before.desired}${was}`;
}

/** Memory that is not there would end instances, and not only those that are new. */
function refuseOvercommitted(
  environment: Environment,
  { desired, max }: Capacity,
  records: Records,
  machine: Machine | null,
): void {
  const goal = goalNumber(environment, records);
  const release = goal === null ? undefined : records.release(environment.key, goal);
  if (!release || machine === null) return;
  const { warm } = release.configuration.web.group;
  const commitment = { desired, max, warm, size: sizeOf(release), limits: limitsOf(release) };
  const concern = overcommitment(commitment, machine).find(({ grave }) => grave);
  if (!concern) return;
  throw new Fault({
    code: 'overcommitted',
    message: `${environment.key} would have more than the machine holds: ${concern.what}`,
    subject: environment.key,
    hint: `${concern.instead}. To scale all the same, add --force`,
    details: { concern },
  });
}

/** Of a capacity that is asked for, with what schedules make of it now. */
export function boundsFor(
  environment: Environment,
  asked: Capacity,
  records: Records,
  now: number,
): Bounds {
  const goal = goalNumber(environment, records);
  const release = goal === null ? undefined : records.release(environment.key, goal);
  return release ? boundsInForce(asked, release.configuration.web.scaling, now) : asked;
}

function refuseOutside(environment: Environment, asked: Capacity, bounds: Bounds): void {
  const { desired, min, max } = asked;
  const isAsSet = bounds.min === min && bounds.max === max;
  if (isAsSet || min > max) refuseBadCapacity(environment, asked);
  if (within(desired, bounds) === desired) return;
  throw new Fault({
    code: 'bad-capacity',
    message: `${desired} is outside ${bounds.min} to ${bounds.max}, which a schedule of ${environment.key} allows now`,
    subject: environment.key,
    hint: `see until when with: ${command('belay scale --explain', environment)}`,
  });
}
