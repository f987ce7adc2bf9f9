import type { Group } from '../model/group.ts';
import type { Step } from '../model/step.ts';
import type { Backoff } from './backoff.ts';
import { type Fleet, REPLACE_AFTER_MS } from './fleet.ts';
import { stopStep } from './lifecycle-waits.ts';
import type { Observation, ObservedInstance, ReleaseNeeds } from './observation.ts';
import { countByZone, zoneForLaunch } from './placement.ts';

/**
 * Instances that are started and checked ahead of need. Coming into service is a change of routing,
 * without a boot. Kept at rest alone: a deployment leaves the pool as it is, and when it has settled
 * the pool is renewed with what then runs.
 */

/** How many are to be kept; none where nothing is to run at all. */
export function poolSize({ warm, idleMs }: Group, desired: number): number {
  return desired === 0 && idleMs !== null ? 0 : warm;
}

/** Those that can come into service now, each from the zone that has fewest by then. */
export function comingForward({ pool, ready, starting }: Fleet): ObservedInstance[] {
  const left = pool.filter((instance) => instance.state === 'warmed' && isFit(instance));
  const serving = [...ready, ...starting];
  const ordered: ObservedInstance[] = [];
  while (left.length > 0) {
    const zone = zoneForLaunch([...new Set(left.map((each) => each.zone))].sort(), serving);
    const [next] = left.splice(
      left.findIndex((each) => each.zone === zone),
      1,
    );
    if (!next) break;
    ordered.push(next);
    serving.push(next);
  }
  return ordered;
}

interface PoolPlan {
  observation: Observation;
  goal: ReleaseNeeds;
  fleet: Fleet;
  /** Of the pool, those that come into service now. */
  leaving: ReadonlySet<string>;
  /** Launched for service now: what is needed comes before what may be needed. */
  launched: number;
  backoff: Backoff;
  newInstanceId: () => string;
  now: number;
}

export function planWarmPool(plan: PoolPlan): { steps: Step[]; wakeAt: number | null } {
  const { observation, goal, fleet, leaving, backoff, now } = plan;
  if (observation.deployment) return { steps: [], wakeAt: null };
  const size = poolSize(goal.group, observation.environment.capacity.desired);
  const pool = fleet.pool.filter(({ id }) => !leaving.has(id));
  const sick = pool.filter((instance) => (sickAt(instance) ?? Number.POSITIVE_INFINITY) <= now);
  const kept = pool.filter((instance) => !sick.includes(instance));
  const steps = [
    ...sick.map((instance) => {
      const why = instance.target?.description ?? 'it fails its checks';
      return stopStep(instance, observation, `unhealthy while warm: ${why}`, now);
    }),
    ...tooMany(kept, size).map((instance) => dismissal(instance, observation, size, now)),
    ...launches(plan, kept, size),
  ].filter((step): step is Step => step !== null);
  const isShort = kept.length < size;
  const wakes = [isShort ? backoff.until : null, ...kept.map((instance) => sickAt(instance))];
  return { steps, wakeAt: earliest(wakes) };
}

/** As far as anybody knows: an edge that cannot be asked is given the benefit. */
const isFit = ({ target }: ObservedInstance): boolean => target?.standby?.condition !== 'unhealthy';

/** When it is to be replaced for its health; null while it is fit. */
function sickAt({ state, target }: ObservedInstance): number | null {
  if (state !== 'warmed' || target?.standby?.condition !== 'unhealthy') return null;
  return target.standby.since + REPLACE_AFTER_MS;
}

/** Who is not up yet goes first, then the oldest. */
function tooMany(pool: readonly ObservedInstance[], size: number): ObservedInstance[] {
  const surplus = Math.max(0, pool.length - size);
  const up = pool.filter(({ state }) => state === 'warmed');
  const starting = pool.filter(({ state }) => state === 'pending');
  return [...starting, ...up].slice(0, surplus);
}

function dismissal(
  instance: ObservedInstance,
  observation: Observation,
  size: number,
  now: number,
): Step | null {
  const reason = size === 0 ? 'none is to be kept warm' : `no more than ${size} to be kept warm`;
  return instance.state === 'pending'
    ? { kind: 'terminate', instance: instance.id, reason }
    : stopStep(instance, observation, reason, now);
}

function launches(
  { goal, fleet, launched, backoff, newInstanceId }: PoolPlan,
  kept: readonly ObservedInstance[],
  size: number,
): Step[] {
  const missing = size - kept.length;
  // One that waits for somebody's word is as good as up.
  const forService = fleet.starting.filter(({ wait }) => !wait).length + launched;
  if (missing <= 0 || forService > 0 || backoff.until !== null) return [];
  const starting = kept.filter(({ state }) => state === 'pending').length;
  const count = backoff.crashLooping ? Math.min(missing, 1 - starting) : missing;
  // Spread for itself, as the fleet is; among equals, where the fleet has fewest.
  const serving = countByZone([...fleet.ready, ...fleet.starting]);
  const zones = [...goal.zones].sort((a, b) => (serving.get(a) ?? 0) - (serving.get(b) ?? 0));
  const placed = kept.map(({ zone }) => ({ zone }));
  return Array.from({ length: Math.max(0, count) }, (_, index): Step => {
    const zone = zoneForLaunch(zones, placed);
    placed.push({ zone });
    const reason = `${kept.length + index + 1} of ${size} to keep warm`;
    const instance = newInstanceId();
    return { kind: 'launch', instance, release: goal.number, zone, reason, warm: true };
  });
}

const earliest = (moments: readonly (number | null)[]): number | null =>
  moments.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.min(a, b)), null);
