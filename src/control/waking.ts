import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/release.ts';
import { boundsInForce, followsLoad, within } from './capacity.ts';

/** Null: it never sleeps. */
export const idleMsOf = ({ configuration: { web } }: Release): number | null =>
  web.upstream === null ? web.group.idleMs : null;

/**
 * How many instances an environment that sleeps comes back with: one where policies add what the
 * load needs, else as many as there were.
 */
export function wakingDesired(
  { capacity, asleep }: Pick<Environment, 'capacity' | 'asleep'>,
  { configuration: { web } }: Release,
  now: number,
): number {
  const before = followsLoad(web.scaling) ? 1 : (asleep?.desired ?? 1);
  return within(Math.max(1, before), boundsInForce(capacity, web.scaling, now));
}
