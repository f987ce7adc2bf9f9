import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { EnvironmentKey } from '../model/environment.ts';
import type { Freeze } from '../model/freeze.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { command, terminating } from './refusals.ts';

/** A freeze lets what runs go on, and rollbacks and restarts pass. */

interface Parts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
  wake: (environment: string) => void;
}

/** One that is there already is replaced. @throws `until-is-past` */
export function freezeEnvironment(
  key: EnvironmentKey,
  { reason, by, until }: Omit<Freeze, 'since'>,
  { records, feed, clock }: Parts,
): void {
  const environment = records.environment(key);
  if (environment.status === 'terminating') throw terminating(environment);
  const since = clock.now();
  if (until !== null && until <= since) {
    throw new Fault({
      code: 'until-is-past',
      message: `${new Date(until).toISOString()} has passed already`,
      subject: key,
      hint: 'name a time to come, or leave out --until',
    });
  }
  const end = until === null ? '' : ` until ${new Date(until).toISOString()}`;
  const who = by === null ? '' : ` by ${by}`;
  records.transaction(() => {
    records.saveEnvironment({ ...environment, freeze: { reason, by, since, until } });
    feed.publish({
      environment: key,
      severity: 'info',
      type: 'frozen',
      message: `${key} was frozen${who}${end}${reason === null ? '' : `: ${reason}`}`,
    });
  });
}

/** What waits may start at once. @throws `not-frozen` */
export function unfreezeEnvironment(
  key: EnvironmentKey,
  by: string | null,
  { records, feed, clock, wake }: Parts,
): void {
  const environment = records.environment(key);
  const { freeze, ...thawed } = environment;
  if (!freeze || (freeze.until !== null && freeze.until <= clock.now())) {
    throw new Fault({
      code: 'not-frozen',
      message: `${key} is not frozen`,
      subject: key,
      hint: `see how it does with: ${command('belay status', environment)}`,
    });
  }
  records.transaction(() => {
    records.saveEnvironment(thawed);
    const message = `${key} is no longer frozen${by === null ? '' : `, says ${by}`}`;
    feed.publish({ environment: key, severity: 'info', type: 'unfrozen', message });
  });
  wake(key);
}
