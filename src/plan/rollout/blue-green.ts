import type { Deployment } from '../../model/deployment.ts';
import type { Instance } from '../../model/instance.ts';
import { beside } from './beside.ts';
import type { RolloutInput, RolloutMove } from './rollout.ts';

/**
 * A whole new fleet beside the old one, healthy and idle; then all traffic at once, by one snapshot.
 * The old fleet stays warm for `keep`, so that the way back is a flip too.
 */
export const blueGreen = (input: RolloutInput): RolloutMove => beside(input, (missing) => missing);

/**
 * The release that is in service and takes no traffic: the new one, for as long as anything of the
 * old one serves. Null for none.
 */
export function heldRelease(
  deployment: Pick<Deployment, 'state' | 'rollout' | 'from' | 'to'> | null,
  instances: readonly Pick<Instance, 'release' | 'state'>[],
): number | null {
  if (deployment === null || deployment.rollout.policy !== 'blue-green') return null;
  const oldServes = instances.some(
    ({ release, state }) => release === deployment.from && state === 'in-service',
  );
  return oldServes ? deployment.to : null;
}
