import type { MetricSource, ScalingMetric } from '../../model/scaling.ts';
import { type Sample, totalAt } from './measured.ts';
import type { MetricPoint } from './scaling.ts';

/**
 * What a whole group has to bear, whatever the number of those that share it: metrics that are
 * shared out are summed over the instances, so that adding one does not look like less work.
 */

/** Metrics of which each instance has its share. Latency is none: it is not divided by adding one. */
export type SharedMetric = Exclude<ScalingMetric, 'p99'>;

/**
 * An instance as busy as this hides what it leaves undone: its CPU says how much it does and not how
 * much is asked of it.
 */
const SATURATED_PERCENT = 85;

/**
 * Of the points that have the number.
 *
 * @param known of a longer time, by which it is learned what requests take
 */
export function demandOf(
  metric: SharedMetric,
  source: MetricSource | null,
  points: readonly MetricPoint[],
  known: readonly MetricPoint[] = points,
): Sample[] {
  const isHidden = metric === 'cpu' && points.some(isSaturated);
  const costPercent = isHidden ? costOfRequest(known) : null;
  return points.flatMap((point) => {
    const total = totalAt(metric, source, point);
    if (total === null) return [];
    const { at, instances } = point;
    return [{ at, instances, value: Math.max(total, hiddenDemand(point, costPercent)) }];
  });
}

/** Of a saturated group, what the requests that came would have taken of CPU. */
function hiddenDemand(point: MetricPoint, costPercent: number | null): number {
  if (costPercent === null || point.requestsPerMinute === null || !isSaturated(point)) return 0;
  return point.requestsPerMinute * costPercent;
}

/**
 * What a request a minute takes of an instance's CPU, in per cent: the median over the points at
 * which nothing was left undone; null when there is none.
 */
export function costOfRequest(points: readonly MetricPoint[]): number | null {
  const costs = points.flatMap((point) => {
    const { cpuPercent, requestsPerMinute } = point;
    if (cpuPercent === null || !requestsPerMinute || isSaturated(point)) return [];
    return [cpuPercent / requestsPerMinute];
  });
  return costs.sort((a, b) => a - b)[Math.floor(costs.length / 2)] ?? null;
}

const isSaturated = ({ cpuPercent, instances }: MetricPoint): boolean =>
  cpuPercent !== null && cpuPercent >= SATURATED_PERCENT * instances;
