import type { Instance } from '../model/instance.ts';

/** Which zone the next instance goes to, and which instance goes next: ours to decide, everywhere. */

type Placed = Pick<Instance, 'id' | 'zone' | 'createdAt'>;

/** The emptiest zone; the first in order of the configuration among equals. */
export function zoneForLaunch(
  zones: readonly string[],
  live: readonly Pick<Placed, 'zone'>[],
): string {
  const counts = countByZone(live);
  let best = zones[0] ?? 'a';
  for (const zone of zones) {
    if ((counts.get(zone) ?? 0) < (counts.get(best) ?? 0)) best = zone;
  }
  return best;
}

/** `count` instances to retire: each from the fullest zone, the oldest in it first. */
export function chooseRetiring<T extends Placed>(candidates: readonly T[], count: number): T[] {
  const left = [...candidates].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const chosen: T[] = [];
  const counts = countByZone(left);
  while (chosen.length < count && left.length > 0) {
    const fullest = Math.max(...left.map((instance) => counts.get(instance.zone) ?? 0));
    const index = left.findIndex((instance) => counts.get(instance.zone) === fullest);
    const [instance] = left.splice(index, 1);
    if (!instance) break;
    counts.set(instance.zone, fullest - 1);
    chosen.push(instance);
  }
  return chosen;
}

function countByZone(instances: readonly Pick<Placed, 'zone'>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { zone } of instances) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}
