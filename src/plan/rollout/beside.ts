import { hasSettled, isServing } from '../fleet.ts';
import { makesWay, nextSettled, readmissions, rolling } from './rolling.ts';
import type { RolloutInput, RolloutMove } from './rollout.ts';

/**
 * A whole new fleet beside the old one, which goes at once when the new one has proven itself: what
 * `all-at-once`, `immutable` and `blue-green` have in common. Nothing is taken away before, so
 * capacity never falls below desired, and the machine must hold both fleets for a while.
 *
 * @param allowed of those missing, how many may be started now
 */
export function beside(
  input: RolloutInput,
  allowed: (missing: number, settled: number) => number,
): RolloutMove {
  const { fleet, desired, rollout, now } = input;
  if (fleet.others.length === 0) return atRest(input);
  const readmit = readmissions(fleet, desired);
  const settled = fleet.ready.filter((instance) => hasSettled(instance, rollout.healthyMs, now));
  const missing = desired - fleet.ready.length - fleet.starting.length - readmit.length;
  const going = settled.length >= desired ? fleet.others : fleet.others.filter(isBroken);
  return {
    readmit,
    launch: Math.max(0, Math.min(missing, allowed(missing, settled.length))),
    retire:
      settled.length > 0 ? going.map((instance) => ({ instance, reason: makesWay(instance) })) : [],
    wakeAt: nextSettled(fleet.ready, rollout.healthyMs, now),
  };
}

/** With nothing of another release left, every policy heals and scales alike. */
const atRest = (input: RolloutInput): RolloutMove =>
  rolling({ ...input, rollout: { ...input.rollout, batch: 1, extra: 1 } });

const isBroken = (instance: RolloutInput['fleet']['others'][number]): boolean =>
  !isServing(instance);
