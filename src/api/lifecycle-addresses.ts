import type { Address } from './addresses.ts';

const instance = '/v1/applications/:application/environments/:environment/instances/:instance';

/** Where the routes are that answer an instance that waits. */
export const lifecycleAddresses = {
  continueInstance: { method: 'POST', path: `${instance}/continue` },
  abandonInstance: { method: 'POST', path: `${instance}/abandon` },
  heartbeatInstance: { method: 'POST', path: `${instance}/heartbeat` },
} as const satisfies Record<string, Address>;
