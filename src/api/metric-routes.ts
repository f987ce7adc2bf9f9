import { z } from 'zod';
import {
  type InstanceMetricsView,
  type MetricsView,
  MINUTES_KEPT_MS,
  SECONDS_KEPT_MS,
} from '../model/metrics.ts';
import { metricAddresses as addresses } from './metric-addresses.ts';
import { answer, environmentParams, nothing, type Route } from './route.ts';

/** The part of the table about what is measured. */

const lastMs = (mostMs: number) => z.coerce.number().int().min(1_000).max(mostMs);

export const metricRoutes = {
  metrics: {
    ...addresses.metrics,
    summary: 'What an environment did lately',
    params: environmentParams,
    query: z.strictObject({
      /** So much of the past: by the second up to a quarter of an hour, by the minute beyond. */
      lastMs: lastMs(MINUTES_KEPT_MS).default(SECONDS_KEPT_MS),
    }),
    body: null,
    answer: answer<MetricsView>('Oldest first; null is what was not measured'),
  },
  instanceMetrics: {
    ...addresses.instanceMetrics,
    summary: 'What one instance did lately, by the second',
    params: environmentParams.extend({ instance: z.string() }),
    query: z.strictObject({ lastMs: lastMs(SECONDS_KEPT_MS).default(SECONDS_KEPT_MS) }),
    body: null,
    answer: answer<InstanceMetricsView>('Oldest first; null is what was not measured'),
  },
  reportMetric: {
    ...addresses.reportMetric,
    summary: 'Report a number of the app’s own, which holds for two minutes',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ name: z.string(), value: z.number() }),
    answer: answer<{ reported: Readonly<Record<string, number>> }>('Those that hold now, by name'),
  },
} as const satisfies Record<string, Route>;
