import type { Rollout } from '../../model/configuration.ts';
import { allAtOnce } from './all-at-once.ts';
import { blueGreen } from './blue-green.ts';
import { canary, linear } from './by-weight.ts';
import { immutable } from './immutable.ts';
import { rolling } from './rolling.ts';
import type { RolloutPolicy } from './rollout.ts';

/** Every deploy policy by its name. */
export const policies: Readonly<Record<Rollout['policy'], RolloutPolicy>> = {
  rolling,
  'all-at-once': allAtOnce,
  immutable,
  'blue-green': blueGreen,
  canary,
  linear,
};
