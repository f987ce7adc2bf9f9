import { beside } from './beside.ts';
import type { RolloutInput, RolloutMove } from './rollout.ts';

/** One new instance first; all the others once it has proven itself. Nothing old is touched till then. */
export const immutable = (input: RolloutInput): RolloutMove =>
  beside(input, (missing, settled) => {
    const { starting, ready } = input.fleet;
    return settled > 0 ? missing : 1 - starting.length - ready.length;
  });
