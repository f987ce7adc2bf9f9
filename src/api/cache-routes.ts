import { z } from 'zod';
import { purgeSchema } from '../model/cache.ts';
import type { CachesView, PurgeView } from '../model/cache-view.ts';
import { cacheAddresses as addresses } from './cache-addresses.ts';
import { answer, byField, environmentParams, nothing, type Route } from './route.ts';

/** The part of the table about what the edge keeps of answers. */

export const cacheRoutes = {
  caches: {
    ...addresses.caches,
    summary: 'What the caches of all environments have done, and what they keep',
    params: nothing,
    query: nothing,
    body: null,
    answer: answer<CachesView>('Counts are cumulative'),
  },
  purgeCache: {
    ...addresses.purgeCache,
    summary: 'Use kept answers no more: of paths, of all that begins so, with a tag, or everything',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({
      /** All of them or, where one is malformed, none. */
      purges: z.array(
        z.strictObject({
          kind: purgeSchema.shape.kind,
          /** Empty for everything. */
          value: z.string().default(''),
        }),
      ),
      by: byField,
    }),
    answer: answer<PurgeView>('In force on every worker, unless the snapshot is null'),
  },
} as const satisfies Record<string, Route>;
