import { hasSettled, isServing } from '../fleet.ts';
import { beside } from './beside.ts';
import { makesWay, nextSettled, readmissions } from './rolling.ts';
import type { RolloutInput, RolloutMove, RolloutPolicy } from './rollout.ts';

/**
 * Traffic moves by weight, a share at a time, each judged before the next (`plan/analysis.ts`). The
 * old fleet stays whole until the last share has moved, so that the way back is a flip of weights;
 * of the new one there are as many instances as its share needs.
 *
 * @param nextPercent the share behind one of so many per cent
 */
const byWeight =
  (nextPercent: (percent: number, step: number) => number): RolloutPolicy =>
  (input) => {
    const { fleet, desired, rollout, percent, passed, returning, now } = input;
    if (returning || fleet.others.length === 0) return beside(input, (missing) => missing);
    const settled = fleet.ready.filter((instance) => hasSettled(instance, rollout.healthyMs, now));
    const aim = percent === 0 || passed ? nextPercent(percent, rollout.percent) : percent;
    const wanted = Math.ceil((desired * aim) / 100);
    const readmit = readmissions(fleet, wanted);
    const missing = wanted - fleet.ready.length - fleet.starting.length - readmit.length;
    const isReady = settled.length >= wanted;
    return {
      readmit,
      launch: Math.max(0, missing),
      launchBaseline: isReady && percent === 0 ? missingBaseline(input) : 0,
      retire: retiring(input, settled.length),
      ...(isReady && aim > percent ? { shift: aim } : {}),
      wakeAt: nextSettled(fleet.ready, rollout.healthyMs, now),
    };
  };

export const canary: RolloutPolicy = byWeight((percent, step) => (percent === 0 ? step : 100));
export const linear: RolloutPolicy = byWeight((percent, step) => Math.min(100, percent + step));

/**
 * As many of the old release as there are of the new one, started when those have come up: a release
 * that does not boot needs no comparison.
 */
function missingBaseline({ fleet, desired, rollout }: RolloutInput): number {
  const young = fleet.others.length + fleet.othersStarting.length - desired;
  return Math.max(0, Math.ceil((desired * rollout.percent) / 100) - Math.max(0, young));
}

function retiring(
  { fleet, desired, percent }: RolloutInput,
  settled: number,
): RolloutMove['retire'] {
  const going =
    percent === 100 && settled >= desired
      ? fleet.others
      : settled > 0
        ? fleet.others.filter((instance) => !isServing(instance))
        : [];
  return going.map((instance) => ({ instance, reason: makesWay(instance) }));
}
