import type { InstanceWish } from '../model/instance.ts';
import { isWaitingToEnd } from './lifecycle-waits.ts';
import type { ObservedInstance, ReleaseNeeds } from './observation.ts';

/** How long a target may fail its checks before its instance is replaced. */
export const REPLACE_AFTER_MS = 15_000;

/** The instances of an environment as a rollout sees them, from the side of the goal release. */
export interface Fleet {
  /** Of the goal: started, not yet serving. */
  starting: ObservedInstance[];
  /** Of the goal: serving. */
  ready: ObservedInstance[];
  /** Of the goal: in service but failing its checks for too long. */
  sick: ObservedInstance[];
  /** Of the goal: in service until its place is filled, because somebody has asked for it. */
  outgoing: ObservedInstance[];
  /** Of the goal: running without a route, or on the way out; can come back at once. */
  warm: ObservedInstance[];
  /** Of the goal: started ahead of need, and fit for service or on the way there. */
  pool: ObservedInstance[];
  /** Of other releases: in service. */
  others: ObservedInstance[];
  /** Of other releases: never served. */
  othersStarting: ObservedInstance[];
  /** Of any release: out of service by somebody's wish, or on the way there. */
  aside: ObservedInstance[];
  /** Of any release: asked to come back from there. */
  returning: ObservedInstance[];
  /** Everything else that is alive: draining, standby of others, terminating. */
  leaving: ObservedInstance[];
}

export function fleetOf(
  instances: readonly ObservedInstance[],
  goal: ReleaseNeeds | null,
  now: number,
): Fleet {
  const fleet: Fleet = {
    starting: [],
    ready: [],
    sick: [],
    outgoing: [],
    warm: [],
    pool: [],
    others: [],
    othersStarting: [],
    aside: [],
    returning: [],
    leaving: [],
  };
  for (const instance of instances) classOf(fleet, instance, goal, now).push(instance);
  const isAtRest = fleet.others.length === 0 && fleet.sick.length === 0;
  if (goal && isAtRest) moveDeeplySick(fleet, goal, now);
  return fleet;
}

function classOf(
  fleet: Fleet,
  instance: ObservedInstance,
  goal: ReleaseNeeds | null,
  now: number,
): ObservedInstance[] {
  const ours = goal !== null && instance.release === goal.number;
  switch (instance.state) {
    case 'pending':
      if (!ours) return fleet.othersStarting;
      return instance.warming ? fleet.pool : fleet.starting;
    case 'in-service':
      if (!ours) return fleet.others;
      if (isSick(instance, goal, now)) return fleet.sick;
      return instance.wish ? fleet.outgoing : fleet.ready;
    case 'draining':
    case 'standby':
      if (instance.wish && goal && !goal.upstream) return wishedAway(fleet, instance.wish.kind);
      return ours && isAbleToReturn(instance) ? fleet.warm : fleet.leaving;
    case 'warmed':
      return ours && isAbleToReturn(instance) ? fleet.pool : fleet.leaving;
    default:
      return fleet.leaving;
  }
}

const isAbleToReturn = (instance: ObservedInstance): boolean =>
  instance.slot?.running === true && !isWaitingToEnd(instance);

/** Out of service by somebody's wish, which an environment that ends does not heed. */
export const isAside = ({ wish }: ObservedInstance, goal: ReleaseNeeds | null): boolean =>
  wish?.kind === 'standby' && goal !== null && !goal.upstream;

function wishedAway(fleet: Fleet, wish: InstanceWish['kind']): ObservedInstance[] {
  if (wish === 'replace') return fleet.leaving;
  return wish === 'standby' ? fleet.aside : fleet.returning;
}

function isSick(instance: ObservedInstance, goal: ReleaseNeeds, now: number): boolean {
  const at = sickAt(instance, goal);
  return at !== null && now >= at;
}

/** When failing its health check makes it one to replace; null while it does not. */
export function sickAt(
  { target, since }: ObservedInstance,
  { group }: ReleaseNeeds,
): number | null {
  if (group.replace === 'process' || target?.health !== 'unhealthy') return null;
  // Since it came into service: when it has passed what it waited for, and again after a standby.
  return Math.max(target.since + REPLACE_AFTER_MS, since + group.graceMs);
}

/** The same by what it says of what it depends on. */
export function deeplySickAt(
  { target, since }: ObservedInstance,
  { group }: ReleaseNeeds,
): number | null {
  if (group.replace !== 'deep' || target?.deepFailingSince === undefined) return null;
  return Math.max(target.deepFailingSince + REPLACE_AFTER_MS, since + group.graceMs);
}

/**
 * What instances share fails for all of them, and a new one would fail as well. So one at a time,
 * the one that has failed longest, and only while at least as many say that all is well.
 */
function moveDeeplySick(fleet: Fleet, goal: ReleaseNeeds, now: number): void {
  const failing = fleet.ready.filter(({ target }) => target?.deep?.passed === false);
  const passing = fleet.ready.filter(({ target }) => target?.deep?.passed === true);
  const [first] = failing
    .map((instance) => ({ instance, at: deeplySickAt(instance, goal) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.at - b.at || (a.instance.id < b.instance.id ? -1 : 1));
  if (!first || first.at > now || passing.length < failing.length) return;
  fleet.ready = fleet.ready.filter((instance) => instance !== first.instance);
  fleet.sick.push(first.instance);
}

/** Takes traffic, as far as anybody knows: an edge that cannot be asked is given the benefit. */
export const isServing = (instance: ObservedInstance): boolean =>
  instance.state === 'in-service' && instance.target?.health !== 'unhealthy';

/** What a starting instance still lacks, in a sentence. */
export function startProblem(instance: ObservedInstance): string {
  if (!instance.slot) return 'it was never started';
  if (instance.wait?.answer === null) return `it waits for: belay instance continue ${instance.id}`;
  if (instance.slot.isBootstrapping) return 'its bootstrap has not passed';
  if (!instance.slot.listening) return `it never listened on its port ${instance.slot.port}`;
  return instance.target?.description || 'it was not checked yet';
}

/** It has served for as long as the policy wants to see before it trusts a new instance. */
export function hasSettled(instance: ObservedInstance, healthyMs: number, now: number): boolean {
  return isServing(instance) && now - instance.since >= healthyMs;
}
