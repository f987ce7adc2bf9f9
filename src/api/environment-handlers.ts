import type { Control } from '../control/control.ts';
import type { environmentRoutes } from './environment-routes.ts';
import type { Handlers } from './server.ts';

/** What answers the routes about environments as a whole. */
export function environmentHandlers(
  control: Control,
): Pick<Handlers, keyof typeof environmentRoutes> {
  const { environments, savedConfigurations } = control;
  const askedBy = ({ by, message }: { by: string | null; message: string | null }) => ({
    by,
    message,
    overrides: [],
  });
  return {
    createEnvironment: async ({ params, body: { name, configuration, variables, ...body } }) => {
      const input = { configuration, variables, version: body.version };
      if (typeof input.version === 'object' && input.version && configuration.hooks.build) {
        await control.care.requireRoom(input.version);
      }
      const { application } = params;
      return {
        deployment: await environments.create(application, name, input, askedBy(body)),
      };
    },
    cloneEnvironment: async ({ params, body: { by, message, ...input } }) => ({
      deployment: await environments.clone(
        params.application,
        params.environment,
        input,
        askedBy({ by, message }),
      ),
    }),
    swapEnvironments: ({ params, body }) =>
      control.swap(params.application, [params.environment, body.with], body.force),
    rebuildEnvironment: async ({ params, body }) => ({
      deployment: await environments.rebuild(params.application, params.environment, askedBy(body)),
    }),
    resizeEnvironment: ({ params, body: { size, ...manner } }) =>
      control.operations.ask(params, { kind: 'resize', size }, manner),
    terminatedEnvironments: ({ query }) => ({
      terminated: control.queries.terminated(query.application),
    }),
    savedConfigurations: ({ params }) => ({
      configurations: savedConfigurations.list(params.application),
    }),
    savedConfiguration: ({ params }) => savedConfigurations.find(params.application, params.name),
    saveConfiguration: ({ params, body }) =>
      savedConfigurations.save(params.application, params.name, body),
    deleteConfiguration: ({ params }) =>
      savedConfigurations.delete(params.application, params.name),
  };
}
