import type { RoutedCache } from '../model/cache.ts';
import type { Pool } from '../model/snapshot.ts';
import type { RoutedEnvironment, RoutedRelease } from './routing.ts';

/** What the edge is told of the cache of one environment. */

export interface WeightedPool {
  pool: Pool;
  weight: number;
}

/** @param goal whose configuration is in force */
export function routedCache(
  each: RoutedEnvironment,
  goal: RoutedRelease,
  pools: readonly WeightedPool[],
): RoutedCache | null {
  const { cache } = goal.traffic;
  if (cache === null) return null;
  const { upTo, list } = each.environment.cachePurges;
  return {
    rules: cache.rules,
    release: cache.onDeploy === 'switch' ? keptRelease(each, pools) : null,
    purgedUpTo: upTo,
    purges: [...list],
    ...(cache.compress && { compress: true }),
  };
}

/**
 * The release whose answers are kept: the one that most of the traffic goes to. It changes in the
 * snapshot that turns the traffic, and back in the one that turns it back. Between two that share
 * alike it is that which has proven itself; so it is while nothing serves, when what it has answered
 * is all there is.
 */
function keptRelease(each: RoutedEnvironment, pools: readonly WeightedPool[]): number | null {
  const proven = each.environment.release ?? each.goal;
  const serving = pools.filter(({ pool, weight }) => weight > 0 && isServing(each, pool));
  const most = Math.max(...serving.map(({ weight }) => weight));
  const releases = serving.filter(({ weight }) => weight === most).map(({ pool }) => pool.release);
  if (proven !== null && releases.includes(proven)) return proven;
  return releases[0] ?? proven;
}

/** One that starts may be weighed too, so that whoever waits gets it; it is not there yet. */
const isServing = ({ instances }: RoutedEnvironment, { release, external }: Pool): boolean =>
  external ||
  instances.some((instance) => instance.release === release && instance.state === 'in-service');
