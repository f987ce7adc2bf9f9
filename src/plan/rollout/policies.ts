import type { Rollout } from '../../model/configuration.ts';
import { rolling } from './rolling.ts';
import type { RolloutPolicy } from './rollout.ts';

/** Every deploy policy by its name. */
export const policies: Readonly<Record<Rollout['policy'], RolloutPolicy>> = { rolling };
