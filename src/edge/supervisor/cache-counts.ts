import { addCacheCounts, type CacheCounts, noCacheCounts } from '../../model/cache.ts';
import type { EnvironmentKey } from '../../model/environment.ts';

export type CountsByEnvironment = Record<EnvironmentKey, CacheCounts>;

/** Adds what one has counted to what others have. Earlier versions counted less, or nothing. */
export function addCounts(
  total: CountsByEnvironment,
  more: Readonly<Record<EnvironmentKey, Partial<CacheCounts>>> | undefined,
): void {
  for (const [environment, counts] of Object.entries(more ?? {})) {
    total[environment] = addCacheCounts(total[environment] ?? noCacheCounts(), counts);
  }
}

/** The same counts, those of environments that are long gone as those of none. */
export function mergeCounts(
  counts: Readonly<CountsByEnvironment>,
  gone: ReadonlySet<EnvironmentKey>,
): CountsByEnvironment {
  const merged: CountsByEnvironment = {};
  for (const [environment, each] of Object.entries(counts)) {
    addCounts(merged, { [gone.has(environment) ? '' : environment]: each });
  }
  return merged;
}
