import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Capacity } from '../model/configuration.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
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
  wake: (environment: string) => void;
}

/** @throws `bad-capacity`, `environment-terminating` */
export function scaleEnvironment(
  key: EnvironmentKey,
  change: Partial<Capacity>,
  { records, feed, clock, wake }: Parts,
): void {
  const environment = records.environment(key);
  if (environment.status === 'terminating') throw terminating(environment);
  const before = environment.capacity.desired;
  const now = clock.now();
  const asked = { ...environment.capacity, ...change };
  const bounds = boundsFor(environment, asked, records, now);
  const desired = change.desired ?? within(before, bounds);
  refuseOutside(environment, { ...asked, desired }, bounds);
  records.transaction(() => {
    saveCapacity(environment, { ...change, desired }, records, now);
    feed.publish({
      environment: key,
      severity: 'info',
      type: 'scaled',
      message: `capacity is now ${desired} (min ${asked.min}, max ${asked.max}); it was ${before}`,
    });
  });
  wake(key);
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
