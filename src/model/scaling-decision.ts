import type { Capacity } from './configuration.ts';

/**
 * A decision on an environment's capacity, with what it was made from and what is remembered until
 * the next: what the store keeps, and what people are told.
 */

/** What was measured of a group over one period. Null: it was not measured. */
export interface MetricPoint {
  /** The end of the period, milliseconds since the epoch. */
  at: number;
  /** Instances in service, and past their warm-up. */
  instances: number;
  /** Summed over the instances: per cent of what one is allowed. */
  cpuPercent: number | null;
  /** Requests a minute that came for the group. */
  requestsPerMinute: number | null;
  /** Requests inside it and waiting for it, on average. */
  concurrency: number | null;
  p99Ms: number | null;
  /** Numbers of the app's own, by the names of their sources; what is missing was not measured. */
  reported: Readonly<Record<string, number>>;
}

/** The instances that a decision is about, by where they are in their lives. */
export interface ScalingFleet {
  inService: number;
  /** Of them, those that pass their checks. */
  healthy: number;
  /** On their way into service. */
  starting: number;
  /** In service and protected from scale-in. */
  isProtected: number;
}

/** What is remembered from one decision to the next. */
export interface ScalingMemory {
  /** What was wanted lately, oldest first; no older than the stabilisation window. */
  wanted: readonly { at: number; instances: number }[];
  lastOutAt: number | null;
  lastInAt: number | null;
  /** What `desired` was when it was last decided on; since then somebody may have set it. */
  left?: number;
  /** Schedules whose `desired` was set, by their index, with the beginning it was set for. */
  scheduled: Readonly<Record<number, number>>;
}

export const NOTHING_REMEMBERED: ScalingMemory = {
  wanted: [],
  lastOutAt: null,
  lastInAt: null,
  scheduled: {},
};

/** What one policy says. */
export interface Opinion {
  /** `track cpu 60`, `cron 0 9 * * 1-5`: the policy as a person would name it. */
  policy: string;
  /** How many instances it wants at least; null: it has nothing to say. */
  wants: number | null;
  /** It would be content with fewer than are desired. */
  mayShrink: boolean;
  /** The numbers it went by, in a sentence. */
  why: string;
}

export interface ScalingDecision {
  at: number;
  /** `desired` before and after it. */
  from: number;
  to: number;
  /** Bounds in force, schedules included. */
  min: number;
  max: number;
  /** Why it is `to`, in a sentence: what wanted it, and what held it back. */
  reason: string;
  opinions: readonly Opinion[];
  memory: ScalingMemory;
}

/** A decision as it is kept. Equal ones that change nothing are one, with the numbers of the last. */
export interface ScalingRecord extends Omit<ScalingDecision, 'memory'> {
  /** When the first of them was made; `at` is the last. */
  since: number;
  count: number;
  /** As it was set, without what schedules say. */
  capacity: Capacity;
  fleet: ScalingFleet;
  /** The newest numbers there were; null: none. */
  measured: MetricPoint | null;
  bootMs: number;
  deploying: boolean;
}

/** What the policy that wants most wants; 0 where none has anything to say. */
export const mostWanted = (opinions: readonly Opinion[]): number =>
  opinions.reduce((most, { wants }) => Math.max(most, wants ?? 0), 0);
