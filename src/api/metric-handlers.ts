import type { Control } from '../control/control.ts';
import { environmentKey } from '../model/environment.ts';
import type { metricRoutes } from './metric-routes.ts';
import type { Handlers } from './server.ts';

/** What answers the routes about what is measured. */
export function metricHandlers({ metrics }: Control): Pick<Handlers, keyof typeof metricRoutes> {
  return {
    metrics: ({ params, query }) =>
      metrics.view(params.application, params.environment, query.lastMs),
    instanceMetrics: ({ params, query }) =>
      metrics.instanceView(
        environmentKey(params.application, params.environment),
        params.instance,
        query.lastMs,
      ),
    reportMetric({ params, body }) {
      const key = environmentKey(params.application, params.environment);
      metrics.report(key, body.name, body.value);
      return { reported: metrics.reported(key) };
    },
  };
}
