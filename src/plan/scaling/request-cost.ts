import type { MetricPoint } from './scaling.ts';

/**
 * What a request takes, learned where nothing was left undone, and where something is: there, what an
 * app uses says how much it does and not how much is asked of it.
 */
export interface RequestCost {
  /** Of an instance's CPU, for a request a minute. */
  cpuPercent: number;
  /** How long a request is usually inside, its wait included; null: not measured. */
  insideMs: number | null;
}

/** An instance as busy as this leaves things undone. */
const SATURATED_PERCENT = 85;
/** So does one in which requests stay so many times longer than they usually do. */
const TIMES_LONGER = 3;
/** Of so many points at most, evenly taken: more of them say the same. */
const POINTS_ENOUGH = 150;

/** Null: there is nothing to learn from. */
export function requestCost(points: readonly MetricPoint[]): RequestCost | null {
  const every = Math.ceil(points.length / POINTS_ENOUGH);
  const some = points.filter((_, index) => index % every === 0);
  const served = some.filter((point) => !isSaturated(point) && cpuOfRequest(point) !== null);
  const insideMs = middleOf(served.map(insideOf));
  const asUsual = served.filter((point) => !staysLonger(point, insideMs));
  // The busier half: where little is asked, what the app does by itself looks like the requests'.
  const requests = middleOf(asUsual.map((point) => point.requestsPerMinute)) ?? 0;
  const busier = asUsual.filter((point) => (point.requestsPerMinute ?? 0) >= requests);
  const cpuPercent = middleOf(busier.map(cpuOfRequest));
  return cpuPercent === null ? null : { cpuPercent, insideMs };
}

/** Whether more was asked than was done. */
export const isBehind = (point: MetricPoint, { insideMs }: RequestCost): boolean =>
  isSaturated(point) || staysLonger(point, insideMs);

const isSaturated = ({ cpuPercent, instances }: MetricPoint): boolean =>
  cpuPercent !== null && cpuPercent >= SATURATED_PERCENT * instances;

function staysLonger(point: MetricPoint, usualMs: number | null): boolean {
  const ms = insideOf(point);
  return ms !== null && usualMs !== null && ms > TIMES_LONGER * usualMs;
}

function cpuOfRequest({ cpuPercent, requestsPerMinute }: MetricPoint): number | null {
  return cpuPercent === null || !requestsPerMinute ? null : cpuPercent / requestsPerMinute;
}

/** By Little's law: how many are inside, by how many come. */
function insideOf({ concurrency, requestsPerMinute }: MetricPoint): number | null {
  return concurrency === null || !requestsPerMinute
    ? null
    : (concurrency * 60_000) / requestsPerMinute;
}

/** One odd point among many changes nothing. */
function middleOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}
