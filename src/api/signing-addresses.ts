import type { Address } from './addresses.ts';

const environment = '/v1/applications/:application/environments/:environment';

/** Where the routes are about what has to be signed for. */
export const signingAddresses = {
  sign: { method: 'POST', path: `${environment}/tokens` },
  signingKeys: { method: 'GET', path: `${environment}/signing-keys` },
  rotateSigningKey: { method: 'POST', path: `${environment}/signing-keys` },
  revokeSigningKey: { method: 'DELETE', path: `${environment}/signing-keys/:key` },
} as const satisfies Record<string, Address>;
