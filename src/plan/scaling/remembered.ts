import type { ScalingInput, ScalingMemory } from './scaling.ts';

/** Between two decisions. */
const LONGEST_SILENCE_PERIODS = 3;

/**
 * What decisions remember of the ones before. A clock that was set back leaves memories of the
 * future: they are taken for those of this moment, so that they hold nothing up for longer than they
 * would have.
 */
export function remembered({ memory, now, scaling }: ScalingInput): ScalingMemory {
  const past = (at: number | null): number | null => (at === null ? null : Math.min(at, now));
  return {
    ...memory,
    wanted: memory.wanted
      .map(({ at, instances }) => ({ at: Math.min(at, now), instances }))
      .filter(({ at }) => now - at < scaling.stabilizationMs),
    lastOutAt: past(memory.lastOutAt),
    lastInAt: past(memory.lastInAt),
  };
}

/** At the beginning and after a long silence it is not known what was wanted lately. */
export function isUnknown({ memory, now, scaling, periodMs }: ScalingInput): boolean {
  const last = memory.wanted.at(-1);
  return !last || now - last.at >= scaling.stabilizationMs + LONGEST_SILENCE_PERIODS * periodMs;
}

/** Only what was wanted later and was as much matters from then on, and the rest is forgotten. */
export function withWanted(
  wanted: ScalingMemory['wanted'],
  at: number,
  instances: number,
): ScalingMemory['wanted'] {
  return [...wanted.filter((earlier) => earlier.instances > instances), { at, instances }];
}
