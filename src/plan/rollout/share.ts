import { movesByWeight } from '../../model/configuration.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { Instance } from '../../model/instance.ts';

/** Which share of the traffic a release has, where it is not that of its instances. */
export interface TrafficShare {
  release: number;
  percent: number;
  /** A client stays with its release so long after its last request; null: not at all. */
  stickyMs: number | null;
}

/** Longer than a session over a canary, shorter than a day in which it is forgotten. */
const SIDE_KEPT_MS = 3_600_000;

/**
 * The share of the new release while a policy moves traffic by weight; null where instances share
 * alike: under other policies, and when nothing of the old release serves any more.
 */
export function trafficShare(
  deployment: Pick<Deployment, 'state' | 'rollout' | 'from' | 'to' | 'stage'> | null,
  instances: readonly Pick<Instance, 'release' | 'state'>[],
): TrafficShare | null {
  if (deployment === null) return null;
  const { state, rollout, from, to, stage } = deployment;
  const byWeight = movesByWeight(rollout.policy);
  if (!byWeight && rollout.policy !== 'blue-green') return null;
  const oldServes = instances.some(
    (instance) => instance.release === from && instance.state === 'in-service',
  );
  if (!oldServes) return null;
  const percent = state === 'running' ? (stage?.percent ?? 0) : 0;
  return { release: to, percent, stickyMs: byWeight && percent > 0 ? SIDE_KEPT_MS : null };
}
