import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import type { Instance } from '../model/instance.ts';
import { type InstanceWait, type LifecycleAnswer, waitEndsAt } from '../model/instance-wait.ts';
import { timeSpanText } from '../plan/scaling/quantity.ts';
import type { EventFeed } from './event-feed.ts';
import { requireInstance } from './instance-requests.ts';
import type { Records } from './records.ts';
import { command } from './refusals.ts';

/** What people, and programs, say to an instance that waits. The plan does the rest. */

interface Parts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
  wake: (environment: string) => void;
}

/** @throws `unknown-instance`, `not-waiting` */
export function answerWait(
  key: EnvironmentKey,
  id: string,
  answer: LifecycleAnswer,
  by: string | null,
  parts: Parts,
): void {
  const { instance, wait } = waitOf(key, id, parts.records);
  const before = wait.turn === 'launching' ? 'before it took traffic' : 'before it was stopped';
  const who = by === null ? '' : `, says ${by}`;
  rewrite(instance, { ...wait, answer }, parts, {
    type: 'instance-answered',
    message: `${id}, which waited ${before}: ${answer}${who}`,
  });
}

/** There is more to do: the time to answer begins anew. @throws `unknown-instance`, `not-waiting` */
export function heartbeatWait(
  key: EnvironmentKey,
  id: string,
  by: string | null,
  parts: Parts,
): void {
  const { records, clock } = parts;
  const { instance, wait } = waitOf(key, id, records);
  const settings = records.release(key, instance.release)?.configuration.web.group[wait.turn];
  const now = clock.now();
  const next = { ...wait, heartbeatAt: now };
  const leftMs = settings ? waitEndsAt(next, settings) - now : 0;
  const who = by === null ? '' : `, asked for by ${by}`;
  rewrite(instance, next, parts, {
    type: 'instance-heartbeat',
    message: `${id} has ${timeSpanText(leftMs)} more to be answered${who}`,
  });
}

function rewrite(
  instance: Instance,
  wait: InstanceWait,
  { records, feed, wake }: Parts,
  event: { type: string; message: string },
): void {
  const { environment, id } = instance;
  records.transaction(() => {
    records.rewriteInstance({ ...instance, wait });
    feed.publish({ environment, instance: id, severity: 'info', ...event });
  });
  wake(environment);
}

function waitOf(
  key: EnvironmentKey,
  id: string,
  records: Records,
): { instance: Instance; wait: InstanceWait } {
  const environment = records.environment(key);
  const instance = requireInstance(environment, id, records);
  const { wait } = instance;
  if (wait?.answer !== null) throw notWaiting(environment, instance);
  return { instance, wait };
}

function notWaiting(environment: Environment, { id, state, wait }: Instance): Fault {
  const answered = wait ? `; it has waited, and was answered: ${wait.answer}` : '';
  return new Fault({
    code: 'not-waiting',
    message: `${id} is ${state}, and waits for nothing${answered}`,
    subject: id,
    hint: `see who waits with: ${command('belay status', environment)}`,
  });
}
