import type { Control } from '../control/control.ts';
import type { lifecycleRoutes } from './lifecycle-routes.ts';
import type { Handlers } from './server.ts';

/** What answers the routes about instances that wait: each with the environment as it then is. */
export function lifecycleHandlers(control: Control): Pick<Handlers, keyof typeof lifecycleRoutes> {
  const { operations, queries } = control;
  return {
    continueInstance({ params, body: { by } }) {
      operations.answerWait(params, params.instance, 'continue', by);
      return queries.environment(params.application, params.environment);
    },
    abandonInstance({ params, body: { by } }) {
      operations.answerWait(params, params.instance, 'abandon', by);
      return queries.environment(params.application, params.environment);
    },
    heartbeatInstance({ params, body: { by } }) {
      operations.heartbeatWait(params, params.instance, by);
      return queries.environment(params.application, params.environment);
    },
  };
}
