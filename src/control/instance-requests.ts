import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Environment, EnvironmentKey } from '../model/environment.ts';
import type { Instance, InstanceWish } from '../model/instance.ts';
import { saveCapacity } from './capacity.ts';
import type { EventFeed } from './event-feed.ts';
import type { Records } from './records.ts';
import { command, refuseIfBusy, terminating } from './refusals.ts';
import { boundsFor } from './scaling-by-hand.ts';

/**
 * What people can ask of single instances. It is written down on the instance, and holds until it is
 * done or somebody takes it back; the plan does the rest.
 */

interface Parts {
  records: Records;
  feed: EventFeed;
  clock: Clock;
  wake: (environment: string) => void;
}

/** Scale-in and balancing pass protected ones over; nothing else does. @throws `unknown-instance` */
export function protectInstances(
  key: EnvironmentKey,
  ids: readonly string[],
  isProtected: boolean,
  by: string | null,
  parts: Parts,
): void {
  const { records, wake } = parts;
  const environment = records.environment(key);
  const instances = ids.map((id) => requireInstance(environment, id, records));
  records.transaction(() => {
    for (const instance of instances) {
      if ((instance.isProtected ?? false) === isProtected) continue;
      records.rewriteInstance({ ...instance, isProtected });
      const what = isProtected ? 'is protected from scale-in' : 'may go at a scale-in again';
      const type = isProtected ? 'instance-protected' : 'instance-unprotected';
      tell(instance, type, `${instance.id} ${what}${byWhom(by)}`, parts);
    }
  });
  wake(key);
}

/**
 * Out of service and kept. With a substitute desired stays as it is, and the instance serves until
 * another does in its place; without one it leaves at once, and desired goes down with it.
 *
 * @throws `unknown-instance`, `not-in-service`, `bad-capacity`, `operation-in-progress`
 */
export function putOnStandby(
  key: EnvironmentKey,
  id: string,
  substitute: boolean,
  by: string | null,
  parts: Parts,
): void {
  const { records } = parts;
  const environment = quietEnvironment(key, records);
  const instance = requireInstance(environment, id, records);
  if (instance.wish?.kind === 'standby') return;
  if (instance.state !== 'in-service') throw notInService(environment, instance);
  const lowersDesired = !substitute;
  const desired = environment.capacity.desired - (lowersDesired ? 1 : 0);
  if (lowersDesired) refuseBelowMin(environment, id, desired, parts);
  const how = substitute ? 'as soon as another serves in its place' : `now; ${desired} are desired`;
  wish(environment, instance, { kind: 'standby', lowersDesired }, desired, parts, {
    type: 'instance-standby-asked',
    message: `${id} goes on standby ${how}${byWhom(by)}`,
  });
}

/**
 * Back in service. Desired goes up by one, as AWS has it: else one too many would serve, and it might
 * be this one that goes.
 *
 * @throws `unknown-instance`, `not-on-standby`, `release-left`, `bad-capacity`, `operation-in-progress`
 */
export function resumeInstance(
  key: EnvironmentKey,
  id: string,
  by: string | null,
  parts: Parts,
): void {
  const { records } = parts;
  const environment = quietEnvironment(key, records);
  const instance = requireInstance(environment, id, records);
  if (instance.wish?.kind === 'resume') return;
  if (instance.wish?.kind !== 'standby') throw notOnStandby(environment, instance);
  if (instance.release !== environment.release) throw releaseLeft(environment, instance);
  const { desired } = environment.capacity;
  const neverLeft = instance.state === 'in-service';
  const wanted = neverLeft && !instance.wish.lowersDesired ? desired : desired + 1;
  refuseAboveMax(environment, id, wanted, parts);
  const next = neverLeft ? null : ({ kind: 'resume' } as const);
  wish(environment, instance, next, wanted, parts, {
    type: 'instance-resume-asked',
    message: `${id} comes back from standby; ${wanted} are desired${byWhom(by)}`,
  });
}

/**
 * Drained and stopped once another serves in its place; one on standby is stopped at once.
 *
 * @throws `unknown-instance`, `not-in-service`, `operation-in-progress`
 */
export function replaceInstance(
  key: EnvironmentKey,
  id: string,
  by: string | null,
  parts: Parts,
): void {
  const { records } = parts;
  const environment = quietEnvironment(key, records);
  const instance = requireInstance(environment, id, records);
  if (instance.wish?.kind === 'replace') return;
  const isAside = instance.state === 'standby' && instance.wish?.kind === 'standby';
  if (instance.state !== 'in-service' && !isAside) throw notInService(environment, instance);
  const { desired } = environment.capacity;
  const when = isAside ? 'ends' : 'is replaced: it goes when another serves in its place';
  wish(environment, instance, { kind: 'replace' }, desired, parts, {
    type: 'instance-replace-asked',
    message: `${id} ${when}${byWhom(by)}`,
  });
}

function wish(
  environment: Environment,
  instance: Instance,
  asked: InstanceWish | null,
  desired: number,
  parts: Parts,
  event: { type: string; message: string },
): void {
  const { records, clock, wake } = parts;
  const { wish: _, ...rest } = instance;
  records.transaction(() => {
    records.rewriteInstance(asked === null ? rest : { ...rest, wish: asked });
    if (desired !== environment.capacity.desired) {
      saveCapacity(environment, { desired }, records, clock.now());
    }
    tell(instance, event.type, event.message, parts);
  });
  wake(environment.key);
}

/** @throws `environment-terminating`, `operation-in-progress` */
function quietEnvironment(key: EnvironmentKey, records: Records): Environment {
  const environment = records.environment(key);
  if (environment.status === 'terminating') throw terminating(environment);
  refuseIfBusy(environment, records);
  return environment;
}

/** @throws `unknown-instance` */
export function requireInstance(environment: Environment, id: string, records: Records): Instance {
  const instance = records.instance(environment.key, id);
  if (instance) return instance;
  const live = records.instances(environment.key).map((each) => each.id);
  throw new Fault({
    code: 'unknown-instance',
    message: `${environment.key} has no instance ${id}`,
    subject: id,
    hint: live.length === 0 ? 'nothing runs there now' : `there is ${live.join(', ')}`,
  });
}

function notInService(environment: Environment, { id, state }: Instance): Fault {
  return new Fault({
    code: 'not-in-service',
    message: `${id} is ${state}, and not in service`,
    subject: id,
    hint: `see who is with: ${command('belay status', environment)}`,
  });
}

function notOnStandby(environment: Environment, { id, state }: Instance): Fault {
  return new Fault({
    code: 'not-on-standby',
    message: `${id} was not put on standby; it is ${state}`,
    subject: id,
    hint: `see who was with: ${command('belay status', environment)}`,
  });
}

function releaseLeft(environment: Environment, { id, release }: Instance): Fault {
  return new Fault({
    code: 'release-left',
    message: `${id} runs release ${release}, and ${environment.key} runs release ${environment.release} by now`,
    subject: id,
    hint: `end it with: ${command(`belay instance replace ${id}`, environment)}`,
  });
}

function refuseBelowMin(
  environment: Environment,
  id: string,
  desired: number,
  { records, clock }: Parts,
): void {
  const { min } = boundsFor(environment, environment.capacity, records, clock.now());
  if (desired >= min) return;
  throw new Fault({
    code: 'bad-capacity',
    message: `without ${id} there are ${desired}, fewer than min ${min} of ${environment.key}`,
    subject: id,
    hint: `to have another serve in its place, use: ${command(`belay instance standby ${id} --replace`, environment)}`,
  });
}

function refuseAboveMax(
  environment: Environment,
  id: string,
  desired: number,
  { records, clock }: Parts,
): void {
  const { min, max } = boundsFor(environment, environment.capacity, records, clock.now());
  if (desired <= max) return;
  // None at all would be no room but a stop.
  const room = max > Math.max(min, 1) ? `belay scale ${max - 1}` : `belay scale --max ${desired}`;
  throw new Fault({
    code: 'bad-capacity',
    message: `with ${id} there are ${desired}, more than max ${max} of ${environment.key}`,
    subject: id,
    hint: `make room with: ${command(room, environment)}, or end it with: ${command(`belay instance replace ${id}`, environment)}`,
  });
}

function tell({ environment, id }: Instance, type: string, message: string, parts: Parts): void {
  parts.feed.publish({ environment, instance: id, severity: 'info', type, message });
}

const byWhom = (by: string | null): string => (by === null ? '' : `, says ${by}`);
