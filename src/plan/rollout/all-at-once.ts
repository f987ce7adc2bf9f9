import { beside } from './beside.ts';
import type { RolloutInput, RolloutMove } from './rollout.ts';

/**
 * All new instances start together beside the old ones. Beanstalk's takes the old ones away first
 * and is out of service until the new ones are up; on a machine of one's own, room for both for a
 * few seconds costs nothing.
 */
export const allAtOnce = (input: RolloutInput): RolloutMove => beside(input, (missing) => missing);
