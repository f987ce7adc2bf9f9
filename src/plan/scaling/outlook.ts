import type { MetricPoint, ScalingDecision, ScalingFleet, ScalingInput } from './scaling.ts';

/**
 * What comes next if the load stays as it is, told by the rules themselves on a clock that is moved
 * on by hand: the first change, or that there is none for a good while.
 */
export interface Outlook {
  /** The first change; null: none until `until`. */
  change: Pick<ScalingDecision, 'at' | 'to' | 'reason'> | null;
  until: number;
}

/** Longer than what usually holds a decision back; a schedule beyond it tells its time itself. */
const AHEAD_MS = 1_800_000;
const STEP_MS = 10_000;

export function outlookOf(
  input: ScalingInput,
  decide: (input: ScalingInput) => ScalingDecision,
): Outlook {
  const until = input.now + AHEAD_MS;
  let { memory, points } = input;
  for (let now = input.now + STEP_MS; now <= until; now += STEP_MS) {
    points = carriedOn(points, now, input.periodMs);
    const fleet = now >= input.now + input.bootMs ? grownUp(input.fleet) : input.fleet;
    const { at, from, to, reason, ...decision } = decide({ ...input, now, points, fleet, memory });
    if (to !== from) return { change: { at, to, reason }, until };
    memory = decision.memory;
  }
  return { change: null, until };
}

/** The last point again and again. */
function carriedOn(
  points: readonly MetricPoint[],
  until: number,
  periodMs: number,
): readonly MetricPoint[] {
  const last = points.at(-1);
  if (!last) return points;
  const more: MetricPoint[] = [];
  for (let at = last.at + periodMs; at <= until; at += periodMs) more.push({ ...last, at });
  return [...points, ...more];
}

const grownUp = (fleet: ScalingFleet): ScalingFleet => ({
  ...fleet,
  inService: fleet.inService + fleet.starting,
  healthy: fleet.healthy + fleet.starting,
  starting: 0,
});
