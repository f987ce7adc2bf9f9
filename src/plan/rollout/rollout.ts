import type { Amount, Rollout } from '../../model/configuration.ts';
import type { Fleet } from '../fleet.ts';
import type { ObservedInstance } from '../observation.ts';
import type { Preference } from '../placement.ts';

/**
 * A deploy policy: arithmetic on a fleet. It says how many instances of the goal to launch and
 * which to bring back or retire now; asked again after every change, it converges. At rest, with
 * nothing of another release left, the same arithmetic heals and scales.
 */
export interface RolloutInput {
  fleet: Fleet;
  /** Instances wanted in service. */
  desired: number;
  rollout: Rollout;
  /** Which instances go first. */
  preference: Preference;
  /** The share of the traffic that the goal has now, in per cent; 0 before it was given any. */
  percent: number;
  /** That share has been judged and found good. */
  passed: boolean;
  /** The way back, or a rollback: there is nothing to try out. */
  returning: boolean;
  now: number;
}

export interface RolloutMove {
  /** Launch so many of the goal release. */
  launch: number;
  /** Bring these back to service. */
  readmit: ObservedInstance[];
  /** Take these out of service; `final`: for good. */
  retire: { instance: ObservedInstance; reason: string; final?: true }[];
  /** Launch so many of the release that is left, to compare with instances of the same age. */
  launchBaseline?: number;
  /** Give the goal this share of the traffic, in per cent. */
  shift?: number;
  /** Time alone will change the answer at this moment. */
  wakeAt: number | null;
}

export type RolloutPolicy = (input: RolloutInput) => RolloutMove;

/** An amount in instances; of a share, the next larger number, so that it is never none. */
export function instancesIn(amount: Amount, desired: number): number {
  if (typeof amount === 'number') return amount;
  return Math.ceil((Number.parseInt(amount, 10) * desired) / 100);
}
