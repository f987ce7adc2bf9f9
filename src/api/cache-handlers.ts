import type { Control } from '../control/control.ts';
import type { cacheRoutes } from './cache-routes.ts';
import type { Handlers } from './server.ts';

/** What answers the routes about what the edge keeps of answers. */
export function cacheHandlers({ cache }: Control): Pick<Handlers, keyof typeof cacheRoutes> {
  return {
    caches: () => cache.view(),
    purgeCache: ({ params, body }) =>
      cache.purge(params.application, params.environment, body.purges, body.by),
  };
}
