import { timeSpanText } from './quantity.ts';
import type { ScalingInput, ScalingMemory } from './scaling.ts';

/** What holds a change back, each by the number it allows to go to, with its reason. */
export interface Restraint {
  limit: number;
  why: string;
}

/** The fewest instances that each allows. */
export function floors(input: ScalingInput): Restraint[] {
  const { capacity, scaling, fleet, deploying } = input;
  const { desired, min } = capacity;
  const found: Restraint[] = [
    { limit: min, why: `min is ${min}` },
    { limit: Math.min(1, desired), why: 'the last one goes only when nobody asks for it' },
  ];
  if (fleet.isProtected > 0) {
    found.push({ limit: fleet.isProtected, why: `${fleet.isProtected} are protected` });
  }
  if (scaling.maxInPercent !== null) {
    const step = atLeastOne(desired, scaling.maxInPercent);
    found.push({ limit: desired - step, why: `no more than ${step} go at a time` });
  }
  found.push(...stabilizing(input), ...cooling(input), ...ailing(input));
  if (deploying) found.push({ limit: desired, why: 'a deployment is under way' });
  return found;
}

function stabilizing({ memory, now, scaling }: ScalingInput): Restraint[] {
  const most = memory.wanted.reduce<ScalingMemory['wanted'][number] | null>(
    (highest, each) => (highest && highest.instances > each.instances ? highest : each),
    null,
  );
  if (!most) return [];
  const ago = timeSpanText(now - most.at);
  const window = timeSpanText(scaling.stabilizationMs);
  const why = `${most.instances} were wanted ${ago} ago, and scale-in waits for ${window} of less`;
  return [{ limit: most.instances, why }];
}

function cooling({ capacity, memory, now, scaling }: ScalingInput): Restraint[] {
  const changedAt = Math.max(memory.lastOutAt ?? -Infinity, memory.lastInAt ?? -Infinity);
  if (now - changedAt >= scaling.cooldownMs) return [];
  const ago = timeSpanText(now - changedAt);
  const why = `the last change was ${ago} ago, and ${timeSpanText(scaling.cooldownMs)} must pass`;
  return [{ limit: capacity.desired, why }];
}

function ailing({ capacity, fleet, scaling }: ScalingInput): Restraint[] {
  const { desired } = capacity;
  const { minHealthyPercent } = scaling;
  if (fleet.healthy * 100 >= desired * minHealthyPercent) return [];
  const why = `${fleet.healthy} of ${desired} are healthy, and ${minHealthyPercent}% must be`;
  return [{ limit: desired, why }];
}

/** The most instances that each allows. */
export function ceilings({ capacity, scaling, fleet }: ScalingInput): Restraint[] {
  const { desired, max } = capacity;
  const found: Restraint[] = [{ limit: max, why: `max is ${max}, with which that cannot be met` }];
  if (scaling.maxOutPercent !== null) {
    // Those on their way are part of what is added at a time.
    const arrived = Math.min(desired, fleet.inService);
    const step = atLeastOne(arrived, scaling.maxOutPercent);
    const limit = Math.max(desired, arrived + step);
    found.push({ limit, why: `no more than ${step} come at a time` });
  }
  return found;
}

const atLeastOne = (count: number, percent: number): number =>
  Math.max(1, Math.trunc((count * percent) / 100));
