import type { TerminationCriterion } from '../model/group.ts';
import type { Instance } from '../model/instance.ts';
import type { ReleaseNeeds } from './observation.ts';

/** Which zone the next instance goes to, and which instance goes next: ours to decide, everywhere. */

type Placed = Pick<Instance, 'id' | 'zone' | 'release' | 'createdAt'>;

/** How a release wants its instances spread and chosen from. */
export interface Preference {
  zones: readonly string[];
  terminate: readonly TerminationCriterion[];
}

export const preferenceOf = ({ zones, group }: ReleaseNeeds): Preference => ({
  zones,
  terminate: group.terminate,
});

/** The emptiest zone; the first in order of the configuration among equals. */
export function zoneForLaunch(
  zones: readonly string[],
  live: readonly Pick<Placed, 'zone'>[],
): string {
  return emptiestZone(zones, countByZone(live));
}

export function emptiestZone(
  zones: readonly string[],
  counts: ReadonlyMap<string, number>,
): string {
  let best = zones[0] ?? 'a';
  for (const zone of zones) {
    if ((counts.get(zone) ?? 0) < (counts.get(best) ?? 0)) best = zone;
  }
  return best;
}

/**
 * `count` instances to retire, one after the other: each criterion narrows down what the one before
 * has left. AWS draws lots among what is left at the end; here the oldest goes, so that asking again
 * gives the same answer.
 *
 * @param peers those that zones are counted over; the candidates, when left out
 */
export function chooseRetiring<T extends Placed>(
  candidates: readonly T[],
  count: number,
  preference: Preference,
  peers: readonly Pick<Placed, 'zone'>[] = candidates,
): T[] {
  const left = [...candidates].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const counts = countByZone(peers);
  const chosen: T[] = [];
  while (chosen.length < count) {
    const [next] = preference.terminate.reduce(
      (narrowed, criterion) => narrow(narrowed, criterion, preference.zones, counts),
      left,
    );
    if (!next) break;
    left.splice(left.indexOf(next), 1);
    counts.set(next.zone, (counts.get(next.zone) ?? 0) - 1);
    chosen.push(next);
  }
  return chosen;
}

export function countByZone(instances: readonly Pick<Placed, 'zone'>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { zone } of instances) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}

function narrow<T extends Placed>(
  instances: T[],
  criterion: TerminationCriterion,
  zones: readonly string[],
  counts: ReadonlyMap<string, number>,
): T[] {
  switch (criterion) {
    case 'zone':
      // A zone that is not configured any more has one too many as long as it has any.
      return greatest(instances, ({ zone }) =>
        zones.includes(zone) ? (counts.get(zone) ?? 0) : Number.POSITIVE_INFINITY,
      );
    case 'oldest-version':
      return greatest(instances, ({ release }) => -release);
    case 'oldest':
      return greatest(instances, ({ createdAt }) => -createdAt);
    case 'newest':
      return greatest(instances, ({ createdAt }) => createdAt);
  }
}

/** Those that score highest, in their order. */
function greatest<T>(items: T[], score: (item: T) => number): T[] {
  let best = Number.NEGATIVE_INFINITY;
  let found: T[] = [];
  for (const item of items) {
    const own = score(item);
    if (own > best) {
      best = own;
      found = [item];
    } else if (own === best) found.push(item);
  }
  return found;
}
