import { poolId } from '../model/snapshot.ts';
import type { Observation, ObservedTarget } from '../plan/observation.ts';
import { fixedTargetIds } from '../plan/routing.ts';
import type { EdgeView } from './edge-view.ts';
import type { Records } from './records.ts';

/**
 * What the edge says of the fixed addresses of a release. One that is healthy stands for all: that is
 * what requests need.
 */
export function observeFixed(
  environment: string,
  release: number | null,
  records: Records,
  edge: EdgeView,
): Pick<Observation, 'fixed' | 'fixedOut'> {
  const upstream =
    release === null ? null : records.release(environment, release)?.configuration.web.upstream;
  if (release === null || !upstream) return { fixed: null, fixedOut: [] };
  const pool = poolId(environment, release);
  const targets = fixedTargetIds(upstream).map((id) => edge.target(pool, id));
  const addresses = [upstream].flat();
  return {
    fixed: targets.find(isHealthy) ?? targets[0] ?? null,
    fixedOut: targets.flatMap((target, i) =>
      isHealthy(target) ? [] : `${addresses[i]}: ${target?.description || 'not checked yet'}`,
    ),
  };
}

const isHealthy = (target: ObservedTarget | null): boolean => target?.health === 'healthy';
