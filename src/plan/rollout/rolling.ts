import { type Fleet, hasSettled, isServing } from '../fleet.ts';
import type { ObservedInstance } from '../observation.ts';
import { chooseRetiring } from '../placement.ts';
import { comingForward } from '../warm-pool.ts';
import { instancesIn, type RolloutInput, type RolloutMove } from './rollout.ts';

/**
 * Batches in turn. With `extra` > 0, so many are launched above desired first and the old ones go
 * as the new ones prove themselves, so that capacity never falls below desired. With `extra` = 0,
 * a batch of old ones goes first and the new ones take its place.
 *
 * Only what takes new requests counts as capacity: while an instance drains, the next batch is
 * already starting.
 */
export function rolling(input: RolloutInput): RolloutMove {
  const { fleet, desired, rollout } = input;
  const readmit = readmissions(fleet, desired);
  return {
    readmit,
    launch: launches(input, readmit.length),
    ...retirements(input),
    wakeAt: nextSettled(fleet.ready, rollout.healthyMs, input.now),
  };
}

/** What still runs needs no boot: it comes back first, the youngest in its state before others. */
export function readmissions(fleet: Fleet, desired: number): ObservedInstance[] {
  const missing = desired - fleet.ready.length - fleet.starting.length;
  if (missing <= 0) return [];
  const served = [...fleet.warm].sort((a, b) => b.since - a.since);
  return [...served, ...comingForward(fleet)].slice(0, missing);
}

function launches({ fleet, desired, rollout }: RolloutInput, readmitted: number): number {
  const { starting, ready, sick, outgoing, others } = fleet;
  // Who asks for another in the place of one asks for room for both.
  const extra = Math.max(instancesIn(rollout.extra, desired), Math.min(1, outgoing.length));
  const missing = desired - starting.length - ready.length - readmitted;
  if (missing <= 0) return 0;
  const present = [starting, ready, sick, outgoing, others].map((each) => each.length);
  const occupied = present.reduce((sum, count) => sum + count, readmitted);
  const free = Math.max(0, desired - occupied);
  const above = Math.max(0, occupied - desired);
  return Math.min(missing, free + Math.max(0, extra - above));
}

function retirements(input: RolloutInput): Pick<RolloutMove, 'retire'> {
  const { fleet, rollout, now } = input;
  const settled = fleet.ready.filter((instance) => hasSettled(instance, rollout.healthyMs, now));
  if (fleet.others.length > 0) return { retire: retireOthers(input, settled) };

  const surplus = retireSurplus(input, settled);
  return { retire: [...surplus, ...retireReplaced(input, settled, surplus)] };
}

/** Those too many, but for what is protected; as long as the rest has proven itself. */
function retireSurplus(
  { fleet, desired, preference }: RolloutInput,
  settled: readonly ObservedInstance[],
): RolloutMove['retire'] {
  const surplus = fleet.ready.length - desired;
  if (surplus <= 0) return [];
  const free = fleet.ready.filter(({ isProtected }) => !isProtected);
  const idle = free.filter((instance) => !isServing(instance));
  const broken = chooseRetiring(idle, surplus, preference, fleet.ready);
  const spare = settled.filter(isServing).length - desired;
  const count = Math.max(0, Math.min(surplus - broken.length, spare));
  const serving = chooseRetiring(free.filter(isServing), count, preference, fleet.ready);
  const reason = `${fleet.ready.length} in service, ${desired} desired`;
  return [...broken, ...serving].map((instance) => ({ instance, reason }));
}

function retireOthers(
  { fleet, desired, rollout, preference }: RolloutInput,
  settled: readonly ObservedInstance[],
): RolloutMove['retire'] {
  const batch = instancesIn(rollout.batch, desired);
  const extra = instancesIn(rollout.extra, desired);
  const broken = fleet.others.filter((instance) => !isServing(instance));
  const serving = fleet.others.filter(isServing);
  const unsettled = fleet.starting.length + fleet.ready.length - settled.length;
  const floor = extra > 0 ? desired : Math.max(0, desired - batch);
  const spare = settled.length + serving.length - floor;
  const done = settled.length >= desired;
  // In place, a batch is finished before the next one begins.
  const blocked = extra === 0 && unsettled > 0;
  const count = done ? serving.length : blocked ? 0 : Math.min(spare, Math.max(batch, extra));
  // In place there is room for a new one only when an old one goes, and who does not serve goes first.
  const inTheWay = extra === 0 && !blocked ? broken.slice(0, batch) : [];
  const retiring = [
    ...(settled.length > 0 ? broken : inTheWay),
    ...chooseRetiring(serving, Math.max(0, count), preference),
  ];
  return retiring.map((instance) => ({ instance, reason: makesWay(instance) }));
}

/** Why an instance of another release goes. */
export const makesWay = ({ release }: ObservedInstance): string =>
  `release ${release} makes way for the new one`;

/**
 * What is to be replaced goes once another has taken its place; a sick one also when there is no room
 * for another.
 *
 * @param going what goes already
 */
function retireReplaced(
  { fleet, desired, rollout, preference }: RolloutInput,
  settled: readonly ObservedInstance[],
  going: RolloutMove['retire'],
): RolloutMove['retire'] {
  const { sick, outgoing, starting } = fleet;
  const retired = going.filter(({ instance }) => isServing(instance));
  const staying = settled.filter(isServing).length - retired.length;
  const replaced = Math.max(0, staying + sick.length + outgoing.length - desired);
  const noRoom =
    instancesIn(rollout.extra, desired) === 0 && settled.some(isServing) && starting.length === 0;
  const unwell = chooseRetiring(sick, noRoom ? Math.max(1, replaced) : replaced, preference);
  const asked = chooseRetiring(outgoing, Math.max(0, replaced - unwell.length), preference);
  return [
    ...unwell.map((instance) => ({
      instance,
      reason: `unhealthy: ${complaintOf(instance)}`,
      final: true as const,
    })),
    ...asked.map((instance) => ({ instance, reason: wishReason(instance) })),
  ];
}

function complaintOf({ target }: ObservedInstance): string {
  if (target?.health === 'unhealthy') return target.description || 'failed its checks';
  return target?.deep?.description || 'failed its deep check';
}

const wishReason = ({ wish }: ObservedInstance): string =>
  wish?.kind === 'standby' ? 'put on standby by hand' : 'replaced by hand';

export function nextSettled(
  ready: readonly ObservedInstance[],
  healthyMs: number,
  now: number,
): number | null {
  let next: number | null = null;
  for (const instance of ready) {
    const at = instance.since + healthyMs;
    if (at > now && (next === null || at < next)) next = at;
  }
  return next;
}
