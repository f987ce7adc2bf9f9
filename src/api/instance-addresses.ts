import type { Address } from './addresses.ts';

const environment = '/v1/applications/:application/environments/:environment';

/** Where the routes are that ask something of single instances. */
export const instanceAddresses = {
  protectInstances: { method: 'POST', path: `${environment}/instances/protection` },
  standbyInstance: { method: 'POST', path: `${environment}/instances/:instance/standby` },
  resumeInstance: { method: 'POST', path: `${environment}/instances/:instance/resume` },
  replaceInstance: { method: 'POST', path: `${environment}/instances/:instance/replace` },
} as const satisfies Record<string, Address>;
