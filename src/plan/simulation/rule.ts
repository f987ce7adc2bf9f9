import type { ScalingFleet } from '../scaling/scaling.ts';

/**
 * A scaling rule as the simulator asks it: once a minute, when it is known how many requests came in
 * that minute. A rule remembers what it needs from one minute to the next.
 */
export interface Rule {
  name: RuleName;
  decide(known: Known): Decided;
}

/**
 * belay          what Belay decides where nothing but a target is written
 * belay-predict  the same with `predict()`
 * aws            target tracking of an Auto Scaling group
 * hpa            Kubernetes' Horizontal Pod Autoscaler
 * knative        Knative's pod autoscaler
 */
export const ruleNames = ['belay', 'belay-predict', 'aws', 'hpa', 'knative'] as const;
export type RuleName = (typeof ruleNames)[number];

/** What is known at the end of a minute. */
export interface Known {
  now: number;
  /** Of the minute that has just ended. */
  requests: number;
  /** Instances that served in it, from its beginning to its end. */
  serving: number;
  /** As it is now. */
  fleet: ScalingFleet;
  desired: number;
}

export interface Decided {
  /** How many instances it wants; the simulator keeps it within `min` and `max`. */
  desired: number;
  /** In a sentence. */
  reason: string;
}

/** What a simulation is made with: the same for every rule. */
export interface Setting {
  /** Requests that one instance can answer in a minute. */
  unit: number;
  min: number;
  max: number;
  /** From the launch of an instance to its first request. */
  bootMs: number;
}

/** Of what the serving instances can answer in a minute, how much was asked for: 1 is all. */
export const utilisation = ({ requests, serving }: Known, { unit }: Setting): number => {
  if (requests === 0) return 0;
  return requests / (serving * unit);
};
