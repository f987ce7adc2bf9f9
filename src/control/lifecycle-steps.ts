import type { Clock } from '../kernel/clock.ts';
import type { Environment } from '../model/environment.ts';
import type { Instance } from '../model/instance.ts';
import { type InstanceWait, type LifecycleAnswer, waitEndsAt } from '../model/instance-wait.ts';
import type { Step } from '../model/step.ts';
import { timeSpanText } from '../plan/scaling/quantity.ts';
import type { EventFeed } from './event-feed.ts';
import { type Prepared, recordOnly } from './prepared.ts';
import type { Records } from './records.ts';

/** What it changes on record that an instance is kept warm, or begins to wait for somebody's word. */

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

interface Parts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
}

export function warmInstance(
  environment: Environment,
  instance: Instance,
  { reason }: StepOf<'warm'>,
  parts: Parts,
): Prepared {
  const now = parts.clock.now();
  const passedAt = instance.passedAt ?? now;
  const settled = settledWait(instance, 'continue');
  parts.records.moveInstance(instance, 'warmed', now, { reason, passedAt, ...settled });
  const tookMs = passedAt - instance.createdAt;
  tell(environment, instance, parts, {
    severity: 'info',
    type: 'instance-warmed',
    message: `${instance.id} is kept warm, after ${(tookMs / 1000).toFixed(1)} s`,
  });
  return recordOnly;
}

export function beginWait(
  environment: Environment,
  instance: Instance,
  { turn }: StepOf<'wait'>,
  parts: Parts,
): Prepared {
  const now = parts.clock.now();
  const wait: InstanceWait = { turn, since: now, heartbeatAt: now, answer: null };
  const passedAt = instance.passedAt ?? now;
  parts.records.rewriteInstance({
    ...instance,
    wait,
    ...(turn === 'launching' && { passedAt }),
  });
  const release = parts.records.release(environment.key, instance.release);
  const settings = release?.configuration.web.group[turn];
  if (settings) {
    const { id } = instance;
    const before = turn === 'launching' ? 'it takes traffic' : 'it is stopped';
    const patience = timeSpanText(waitEndsAt(wait, settings) - now);
    tell(environment, instance, parts, {
      severity: 'warning',
      type: 'instance-waits',
      message: `${id} waits before ${before}: belay instance continue ${id}, or abandon, or heartbeat for more time; unanswered for ${patience}: ${settings.otherwise}`,
    });
  }
  return recordOnly;
}

/** As it is once the wait is over, whoever ended it. */
export function settledWait({ wait }: Instance, answer: LifecycleAnswer): { wait?: InstanceWait } {
  return wait ? { wait: { ...wait, answer: wait.answer ?? answer } } : {};
}

function tell(
  { key }: Environment,
  { id }: Instance,
  { records, feed }: Parts,
  event: { severity: 'info' | 'warning'; type: string; message: string },
): void {
  const deployment = records.runningDeployment(key)?.number ?? null;
  feed.publish({ environment: key, deployment, instance: id, ...event });
}
