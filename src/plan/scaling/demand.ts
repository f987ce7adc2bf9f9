import type { MetricSource, ScalingMetric } from '../../model/scaling.ts';
import { type Sample, totalAt } from './measured.ts';
import { isBehind, type RequestCost, requestCost } from './request-cost.ts';
import type { MetricPoint } from './scaling.ts';

/**
 * What a whole group has to bear, whatever the number of those that share it: metrics that are
 * shared out are summed over the instances, so that adding one does not look like less work.
 */

/** Metrics of which each instance has its share. Latency is none: it is not divided by adding one. */
export type SharedMetric = Exclude<ScalingMetric, 'p99'>;

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
  const cost = metric === 'cpu' ? requestCost(known) : null;
  return points.flatMap((point) => {
    const total = totalAt(metric, source, point);
    if (total === null) return [];
    const { at, instances } = point;
    return [{ at, instances, value: Math.max(total, cost ? hiddenDemand(point, cost) : 0) }];
  });
}

/** Of a group that is behind, what the requests that came would have taken of CPU. */
function hiddenDemand(point: MetricPoint, cost: RequestCost): number {
  return isBehind(point, cost) ? (point.requestsPerMinute ?? 0) * cost.cpuPercent : 0;
}
