import { mostWanted, type ScalingRecord } from '../../model/scaling-decision.ts';

/** Decisions that change nothing, one after the other, as one. */

/** Nothing that a person would ask about has happened between the two. */
export function isMoreOfTheSame(earlier: ScalingRecord, later: ScalingRecord): boolean {
  return situationOf(earlier) !== null && situationOf(earlier) === situationOf(later);
}

/** With the numbers of the later one. */
export function joined(earlier: ScalingRecord, later: ScalingRecord): ScalingRecord {
  return { ...later, since: earlier.since, count: earlier.count + 1 };
}

/** Null: something changes. */
function situationOf(record: ScalingRecord): string | null {
  const { from, to, min, max, opinions, deploying } = record;
  if (from !== to) return null;
  const silent = opinions.filter(({ wants }) => wants === null).map(({ policy }) => policy);
  return JSON.stringify([to, min, max, silent, isShort(record), deploying]);
}

/** More is wanted than is allowed. */
export const isShort = ({ opinions, max }: Pick<ScalingRecord, 'opinions' | 'max'>): boolean =>
  mostWanted(opinions) > max;
