import { beside } from './beside.ts';
import type { RolloutInput, RolloutMove } from './rollout.ts';

/**
 * A whole new fleet beside the old one, healthy and idle; then all traffic at once, by one snapshot.
 * The old fleet stays warm for `keep`, so that the way back is a flip too.
 */
export const blueGreen = (input: RolloutInput): RolloutMove => beside(input, (missing) => missing);
