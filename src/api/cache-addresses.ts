import type { Address } from './addresses.ts';

/** Where the routes are about what the edge keeps of answers. */
export const cacheAddresses = {
  caches: { method: 'GET', path: '/v1/caches' },
  purgeCache: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/cache/purges',
  },
} as const satisfies Record<string, Address>;
