import type { Capacity } from '../../model/configuration.ts';
import type { Scaling } from '../../model/scaling.ts';
import type { MetricPoint, ScalingFleet, ScalingMemory } from '../../model/scaling-decision.ts';
import type { Forecast } from './predict.ts';

export type {
  MetricPoint,
  Opinion,
  ScalingDecision,
  ScalingFleet,
  ScalingMemory,
} from '../../model/scaling-decision.ts';
export { NOTHING_REMEMBERED } from '../../model/scaling-decision.ts';

/**
 * What a scaling decision is made from, and what it is: plain data, so that each can be kept, told
 * and made again.
 */

export interface ScalingInput {
  now: number;
  /** The length of a period of `points`. */
  periodMs: number;
  /** As it was set: schedules change bounds on top of it. */
  capacity: Capacity;
  scaling: Scaling;
  fleet: ScalingFleet;
  /** What an instance takes from its launch to service. */
  bootMs: number;
  /** Oldest first, at equal distances but for gaps. */
  points: readonly MetricPoint[];
  /** By the minute, for what learns the day and the week; oldest first. */
  history: readonly MetricPoint[];
  /** What `learn` made of the history, within the last hour or so; left out: it is made on the spot. */
  forecasts?: readonly Forecast[];
  memory: ScalingMemory;
  /** A deployment is under way: capacity may grow, and does not shrink. */
  deploying: boolean;
}
