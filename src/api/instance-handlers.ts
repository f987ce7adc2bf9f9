import type { Control } from '../control/control.ts';
import type { instanceRoutes } from './instance-routes.ts';
import type { Handlers } from './server.ts';

/** What answers the routes about single instances: each with the environment as it then is. */
export function instanceHandlers(control: Control): Pick<Handlers, keyof typeof instanceRoutes> {
  const { operations, queries } = control;
  return {
    protectInstances({ params, body: { instances, isProtected, by } }) {
      operations.protect(params, instances, isProtected, by);
      return queries.environment(params.application, params.environment);
    },
    standbyInstance({ params, body: { substitute, by } }) {
      operations.standby(params, params.instance, substitute, by);
      return queries.environment(params.application, params.environment);
    },
    resumeInstance({ params, body: { by } }) {
      operations.resume(params, params.instance, by);
      return queries.environment(params.application, params.environment);
    },
    replaceInstance({ params, body: { by } }) {
      operations.replace(params, params.instance, by);
      return queries.environment(params.application, params.environment);
    },
  };
}
