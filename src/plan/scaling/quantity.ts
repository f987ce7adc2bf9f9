import type { MetricSource, ScalingMetric } from '../../model/scaling.ts';

/** Policies, metrics and times as the reasons of decisions tell them. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

export function policyName(
  kind: 'track' | 'step',
  metric: ScalingMetric,
  source: MetricSource | null,
  amount: string,
): string {
  const named = source && source.name !== 'backlog' ? ` of ${source.name}` : '';
  return `${kind} ${metric}${named} ${amount}`;
}

/** Of one instance. */
export function shareText(metric: ScalingMetric, amount: number): string {
  const number = numberText(amount);
  if (metric === 'cpu') return `${number}%`;
  if (metric === 'p99') return `${number} ms`;
  return number;
}

/** Of a group. */
export function totalText(metric: ScalingMetric, amount: number): string {
  const number = numberText(amount);
  switch (metric) {
    case 'cpu':
      return `${number}% of CPU`;
    case 'requests-per-instance':
      return `${number} requests a minute`;
    case 'concurrency':
      return `${number} requests at a time`;
    case 'backlog-per-instance':
      return `a backlog of ${number}`;
    case 'p99':
      return `${number} ms`;
  }
}

/** Three figures are as much as anybody reads, and whole ones from a hundred on. */
export function numberText(amount: number): string {
  const figures = Math.abs(amount) >= 100 ? Math.round(amount) : Number(amount.toPrecision(3));
  return figures.toLocaleString('en');
}

export function instancesText(count: number): string {
  return count === 1 ? '1 instance' : `${count.toLocaleString('en')} instances`;
}

export function timeSpanText(spanMs: number): string {
  if (spanMs < 10 * SECOND_MS) return `${numberText(spanMs / SECOND_MS)} s`;
  if (spanMs < 2 * MINUTE_MS) return `${Math.round(spanMs / SECOND_MS)} s`;
  return `${Math.round(spanMs / MINUTE_MS)} min`;
}
