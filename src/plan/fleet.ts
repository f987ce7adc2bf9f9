import type { ObservedInstance } from './observation.ts';

/** How long a target may fail its checks before its instance is replaced. */
const REPLACE_AFTER_MS = 15_000;

/** The instances of an environment as a rollout sees them, from the side of the goal release. */
export interface Fleet {
  /** Of the goal: started, not yet serving. */
  starting: ObservedInstance[];
  /** Of the goal: serving. */
  ready: ObservedInstance[];
  /** Of the goal: in service but failing its checks for too long. */
  sick: ObservedInstance[];
  /** Of the goal: running without a route, or on the way out; can come back at once. */
  warm: ObservedInstance[];
  /** Of other releases: in service. */
  others: ObservedInstance[];
  /** Of other releases: never served. */
  othersStarting: ObservedInstance[];
  /** Everything else that is alive: draining, standby of others, terminating. */
  leaving: ObservedInstance[];
}

export function fleetOf(
  instances: readonly ObservedInstance[],
  goal: number | null,
  now: number,
): Fleet {
  const fleet: Fleet = {
    starting: [],
    ready: [],
    sick: [],
    warm: [],
    others: [],
    othersStarting: [],
    leaving: [],
  };
  for (const instance of instances) classOf(fleet, instance, goal, now).push(instance);
  return fleet;
}

function classOf(
  fleet: Fleet,
  instance: ObservedInstance,
  goal: number | null,
  now: number,
): ObservedInstance[] {
  const ours = instance.release === goal;
  switch (instance.state) {
    case 'pending':
      return ours ? fleet.starting : fleet.othersStarting;
    case 'in-service':
      if (!ours) return fleet.others;
      return isSick(instance, now) ? fleet.sick : fleet.ready;
    case 'draining':
    case 'standby':
    case 'warmed':
      return ours && instance.slot?.running ? fleet.warm : fleet.leaving;
    default:
      return fleet.leaving;
  }
}

function isSick(instance: ObservedInstance, now: number): boolean {
  return instance.target?.health === 'unhealthy' && now - instance.target.since >= REPLACE_AFTER_MS;
}

/** When an unhealthy instance becomes one to replace; null when it is healthy. */
export function sickAt(instance: ObservedInstance): number | null {
  return instance.target?.health === 'unhealthy' ? instance.target.since + REPLACE_AFTER_MS : null;
}

/** Takes traffic, as far as anybody knows: an edge that cannot be asked is given the benefit. */
export const isServing = (instance: ObservedInstance): boolean =>
  instance.state === 'in-service' && instance.target?.health !== 'unhealthy';

/** What a starting instance still lacks, in a sentence. */
export function startProblem(instance: ObservedInstance): string {
  if (!instance.slot) return 'it was never started';
  if (instance.slot.isBootstrapping) return 'its bootstrap has not passed';
  if (!instance.slot.listening) return `it never listened on its port ${instance.slot.port}`;
  return instance.target?.description || 'it was not checked yet';
}

/** It has served for as long as the policy wants to see before it trusts a new instance. */
export function hasSettled(instance: ObservedInstance, healthyMs: number, now: number): boolean {
  return isServing(instance) && now - instance.since >= healthyMs;
}
