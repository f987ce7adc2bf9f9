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
  { zones, terminate }: Preference,
  peers: readonly Pick<Placed, 'zone'>[] = candidates,
): T[] {
  const at = terminate.indexOf('zone');
  const before = at < 0 ? terminate : terminate.slice(0, at);
  const after = at < 0 ? [] : terminate.slice(at + 1);
  const ordered = candidates.toSorted(
    (a, b) => compare(a, b, before) || compare(a, b, after) || compareByAge(a, b),
  );
  if (at < 0) return ordered.slice(0, count);
  // Only how full a zone is changes with each that goes: the rest is an order, made once.
  const counts = countByZone(peers);
  const chosen: T[] = [];
  for (const alike of runsOf(ordered, (a, b) => compare(a, b, before) === 0)) {
    if (chosen.length >= count) break;
    for (const one of fromFullest(alike, count - chosen.length, zones, counts)) chosen.push(one);
  }
  return chosen;
}

export function countByZone(instances: readonly Pick<Placed, 'zone'>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { zone } of instances) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}

/** How full a zone is; one that is not configured any more has too many as long as it has any. */
export function fullness(
  zone: string,
  zones: readonly string[],
  counts: ReadonlyMap<string, number>,
): number {
  return zones.includes(zone) ? (counts.get(zone) ?? 0) : Number.POSITIVE_INFINITY;
}

/** Each from the zone that is fullest by then; among equally full ones the first in order. */
function fromFullest<T extends Placed>(
  ordered: readonly T[],
  count: number,
  zones: readonly string[],
  counts: Map<string, number>,
): T[] {
  const ranked = ordered.map((instance, rank) => ({ instance, rank }));
  const queues = [...Map.groupBy(ranked, ({ instance }) => instance.zone).values()];
  for (const queue of queues) queue.reverse();
  const chosen: T[] = [];
  while (chosen.length < count) {
    const heads = queues.flatMap((queue) => queue.at(-1) ?? []);
    const [first] = heads.toSorted((a, b) => {
      const [full, other] = [a, b].map(({ instance }) => fullness(instance.zone, zones, counts));
      return full === other ? a.rank - b.rank : (other ?? 0) - (full ?? 0);
    });
    if (!first) break;
    const { zone } = first.instance;
    queues.find((queue) => queue.at(-1) === first)?.pop();
    counts.set(zone, (counts.get(zone) ?? 0) - 1);
    chosen.push(first.instance);
  }
  return chosen;
}

function compare(a: Placed, b: Placed, criteria: readonly TerminationCriterion[]): number {
  for (const criterion of criteria) {
    const difference = compareBy(criterion, a, b);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Negative: `a` goes first. */
function compareBy(criterion: TerminationCriterion, a: Placed, b: Placed): number {
  switch (criterion) {
    case 'zone':
      return 0;
    case 'oldest-version':
      return a.release - b.release;
    case 'oldest':
      return a.createdAt - b.createdAt;
    case 'newest':
      return b.createdAt - a.createdAt;
  }
}

const compareByAge = (a: Placed, b: Placed): number =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

/** Neighbours that are alike, together. */
function runsOf<T>(items: readonly T[], areAlike: (a: T, b: T) => boolean): T[][] {
  const runs: T[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    if (run?.[0] !== undefined && areAlike(run[0], item)) run.push(item);
    else runs.push([item]);
  }
  return runs;
}
