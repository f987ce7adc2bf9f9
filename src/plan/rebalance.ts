import type { TerminationCriterion } from '../model/group.ts';
import type { Backoff } from './backoff.ts';
import { type Fleet, hasSettled, isServing } from './fleet.ts';
import type { Observation, ReleaseNeeds } from './observation.ts';
import { countByZone, emptiestZone, fullness, type Preference, preferenceOf } from './placement.ts';

/**
 * Zones that have come out of balance, after one was lost or instances died unevenly, are balanced
 * again by launching first: so many are started in the emptiest zones beyond what is desired, and
 * when they serve there are too many, of which those in the fullest zones go. This only says how
 * many to launch; where they start and which ones go is what it is for any launch and any scale-in.
 */

/** AWS lets a group exceed its maximum by a tenth, or by one, meanwhile. */
const MOST_AT_A_TIME = 0.1;

interface Member {
  zone: string;
  isProtected?: boolean;
}

/** @returns how many to launch beyond desired now, and why; null when there is nothing to balance */
export function rebalance(
  { environment, deployment }: Observation,
  fleet: Fleet,
  goal: ReleaseNeeds,
  backoff: Backoff,
  now: number,
): { launch: number; reason: string } | null {
  const { desired } = environment.capacity;
  // While one is being prepared, the rest is planned as if there were no deployment.
  const isDeploying = deployment !== null || environment.status === 'updating';
  if (isDeploying || !isAtRest(fleet, desired, goal, now)) return null;
  // Nothing is wrong with those that serve: they are not given up for what does not come up.
  if (backoff.crashLooping || backoff.until !== null) return null;
  const found = imbalance(fleet.ready, preferenceOf(goal));
  if (!found) return null;
  const most = Math.max(1, Math.floor(desired * MOST_AT_A_TIME));
  return { launch: Math.min(found.moves, most), reason: found.reason };
}

/** As many serve as are desired, and none comes, goes or is to be replaced. */
function isAtRest(fleet: Fleet, desired: number, goal: ReleaseNeeds, now: number): boolean {
  const { ready, starting, sick, outgoing, others, othersStarting } = fleet;
  const moving = [starting, sick, outgoing, others, othersStarting];
  if (moving.some((each) => each.length > 0) || ready.length !== desired) return false;
  const { healthyMs } = goal.rollout;
  return ready.every((each) => isServing(each) && hasSettled(each, healthyMs, now));
}

/**
 * By how many moves, each from the fullest zone that may give one away to the emptiest, no zone
 * would have two more than another.
 */
export function imbalance(
  instances: readonly Member[],
  { zones, terminate }: Preference,
): { moves: number; reason: string } | null {
  if (!keepsBalance(terminate)) return null;
  const counts = countByZone(instances);
  const free = countByZone(instances.filter(({ isProtected }) => !isProtected));
  let moves = 0;
  let reason = '';
  for (;;) {
    const to = emptiestZone(zones, counts);
    const from = fullest(counts, free, zones);
    if (from === null || !isTooFull(from, to, counts, zones)) break;
    if (moves === 0) reason = reasonFor(from, to, counts, zones);
    moves += 1;
    change(counts, from, -1);
    change(free, from, -1);
    change(counts, to, 1);
  }
  return moves === 0 ? null : { moves, reason };
}

/**
 * Balance is kept where the zone comes before the age: elsewhere the one that goes might be one of
 * the emptiest zone, and the next one would be launched there again, without end.
 */
function keepsBalance(terminate: readonly TerminationCriterion[]): boolean {
  const [first] = terminate.filter((criterion) => criterion !== 'oldest-version');
  return first === 'zone';
}

/** Of the zones that may give one away; one that is not configured any more before all others. */
function fullest(
  counts: ReadonlyMap<string, number>,
  free: ReadonlyMap<string, number>,
  zones: readonly string[],
): string | null {
  let best: string | null = null;
  let most = Number.NEGATIVE_INFINITY;
  for (const [zone, spare] of free) {
    const weight = fullness(zone, zones, counts);
    if (spare > 0 && weight > most) {
      best = zone;
      most = weight;
    }
  }
  return best;
}

function isTooFull(
  from: string,
  to: string,
  counts: ReadonlyMap<string, number>,
  zones: readonly string[],
): boolean {
  return !zones.includes(from) || (counts.get(from) ?? 0) - (counts.get(to) ?? 0) > 1;
}

function change(counts: Map<string, number>, zone: string, by: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + by);
}

function reasonFor(
  from: string,
  to: string,
  counts: ReadonlyMap<string, number>,
  zones: readonly string[],
): string {
  if (!zones.includes(from)) return `zone ${from} is not configured any more`;
  return `zone ${from} has ${counts.get(from) ?? 0} instances, zone ${to} ${counts.get(to) ?? 0}`;
}
