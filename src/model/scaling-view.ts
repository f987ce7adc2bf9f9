import type { Capacity } from './configuration.ts';
import type { Scaling } from './scaling.ts';
import type { ScalingRecord } from './scaling-decision.ts';

/** How an environment's capacity follows its load, as people and scripts see it. */

/** What `status` tells of it. */
export interface ScalingGlance {
  /** Bounds in force: what schedules make of those that were set. */
  min: number;
  max: number;
  /** The last one; null before the first. */
  decision: Pick<ScalingRecord, 'at' | 'since' | 'from' | 'to' | 'reason' | 'opinions'> | null;
}

/** What `scale --explain` tells of it. */
export interface ScalingView {
  application: string;
  environment: string;
  /** As it was set. */
  capacity: Capacity;
  /** Bounds in force. */
  min: number;
  max: number;
  inService: number;
  scaling: Scaling;
  /** Newest first; equal ones that change nothing are one. */
  decisions: ScalingRecord[];
  /** What comes next if the load stays as it is; null where nothing is decided. */
  next: {
    /** Null: nothing until `until`. */
    change: { at: number; to: number; reason: string } | null;
    until: number;
  } | null;
}
