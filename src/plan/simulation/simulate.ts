import type { Rule, Setting } from './rule.ts';
import { SimulatedFleet } from './simulated-fleet.ts';
import { MINUTE_MS, type Trace } from './trace.ts';

/**
 * A load trace, minute by minute, under a scaling rule. How many requests came in a minute is known
 * at its end; the decision is taken then, and the planner makes of it what it makes of every other.
 * An instance counts for a minute that it serves from beginning to end.
 */
export interface SimulatedMinute {
  /** Its beginning. */
  at: number;
  requests: number;
  serving: number;
  /** What all instances have lived in it, those that boot included, in minutes. */
  instanceMinutes: number;
  /** Before and after the decision at its end. */
  desired: number;
  decided: number;
  /** Of a change; empty where there is none. */
  reason: string;
}

/** It begins with what the first minute needs: what went before is no rule's doing. */
export function* simulate(
  trace: Trace,
  setting: Setting,
  rule: Rule,
): Generator<SimulatedMinute, void> {
  const first = within(setting, needed(trace.requests[0] ?? 0, setting));
  const fleet = new SimulatedFleet(setting, trace.startAt, first);
  for (const [index, requests] of trace.requests.entries()) {
    const at = trace.startAt + index * MINUTE_MS;
    const now = at + MINUTE_MS;
    const { serving, desired, instanceMs } = fleet;
    fleet.passUntil(now);
    const decided = rule.decide({ now, requests, serving, fleet: fleet.counts, desired });
    fleet.want(within(setting, decided.desired));
    yield {
      at,
      requests,
      serving,
      instanceMinutes: (fleet.instanceMs - instanceMs) / MINUTE_MS,
      desired,
      decided: fleet.desired,
      reason: fleet.desired === desired ? '' : decided.reason,
    };
  }
}

/** The fewest instances that answer so many requests: what an oracle would have running. */
export const needed = (requests: number, { unit, min }: Setting): number =>
  Math.max(min, Math.ceil(requests / unit));

const within = ({ min, max }: Setting, desired: number): number =>
  Math.min(max, Math.max(min, desired));
