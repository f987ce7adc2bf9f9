import type { Address } from './addresses.ts';

const environment = '/v1/applications/:application/environments/:environment';

/** Where the routes are that tell what instances do, and take numbers of the app's own. */
export const metricAddresses = {
  metrics: { method: 'GET', path: `${environment}/metrics` },
  instanceMetrics: { method: 'GET', path: `${environment}/instances/:instance/metrics` },
  reportMetric: { method: 'POST', path: `${environment}/metrics` },
} as const satisfies Record<string, Address>;
