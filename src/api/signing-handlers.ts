import type { Control } from '../control/control.ts';
import type { Handlers } from './server.ts';
import type { signingRoutes } from './signing-routes.ts';

/** What answers the routes about what has to be signed for. */
export function signingHandlers({ signing }: Control): Pick<Handlers, keyof typeof signingRoutes> {
  return {
    sign: ({ params, body }) => signing.sign(params.application, params.environment, body),
    signingKeys: ({ params }) => signing.keys(params.application, params.environment),
    rotateSigningKey: ({ params, body }) =>
      signing.rotate(params.application, params.environment, body.by),
    revokeSigningKey: ({ params, query }) =>
      signing.revoke(params.application, params.environment, params.key, query.by),
  };
}
