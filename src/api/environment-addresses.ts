import type { Address } from './addresses.ts';

/** Where the routes are that make environments, and keep configurations to make them by. */
export const environmentAddresses = {
  createEnvironment: { method: 'POST', path: '/v1/applications/:application/environments' },
  cloneEnvironment: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/clone',
  },
  swapEnvironments: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/swap',
  },
  rebuildEnvironment: {
    method: 'POST',
    path: '/v1/applications/:application/environments/:environment/rebuild',
  },
  resizeEnvironment: {
    method: 'PUT',
    path: '/v1/applications/:application/environments/:environment/size',
  },
  terminatedEnvironments: { method: 'GET', path: '/v1/terminated-environments' },
  savedConfigurations: { method: 'GET', path: '/v1/applications/:application/configurations' },
  savedConfiguration: { method: 'GET', path: '/v1/applications/:application/configurations/:name' },
  saveConfiguration: { method: 'PUT', path: '/v1/applications/:application/configurations/:name' },
  deleteConfiguration: {
    method: 'DELETE',
    path: '/v1/applications/:application/configurations/:name',
  },
} as const satisfies Record<string, Address>;
