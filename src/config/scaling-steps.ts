import type { ScalingStep } from '../model/scaling.ts';

/**
 * What is wrong between the steps of a policy: every distance beyond the threshold has exactly one.
 *
 * @param steps in order
 */
export function stepsProblem(steps: readonly ScalingStep[]): { what: string; hint: string } | null {
  const [first] = steps;
  if (first && first.from !== 0) {
    return {
      what: `begin at ${first.from}, and leave what is nearer to the threshold without an answer`,
      hint: 'begin with from: 0',
    };
  }
  for (const [index, { from, to }] of steps.entries()) {
    const next = steps[index + 1];
    if (to !== null && to <= from) {
      return { what: `have one from ${from} to ${to}, which is empty`, hint: 'raise to' };
    }
    if (!next) {
      if (to === null) return null;
      return {
        what: `end at ${to}, and leave what is beyond it without an answer`,
        hint: 'leave out the last to',
      };
    }
    if (to === null || to > next.from) {
      return {
        what: `overlap: one goes from ${from} to ${to ?? 'without end'}, another begins at ${next.from}`,
        hint: `write to: ${next.from}`,
      };
    }
    if (to < next.from) {
      return { what: `leave a gap from ${to} to ${next.from}`, hint: `write to: ${next.from}` };
    }
  }
  return null;
}
