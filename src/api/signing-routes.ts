import { z } from 'zod';
import { signedPolicySchema } from '../model/signed-token.ts';
import type { SigningKeyChange, SigningKeysView, TokenView } from '../model/signing-keys.ts';
import { answer, byField, environmentParams, nothing, type Route } from './route.ts';
import { signingAddresses as addresses } from './signing-addresses.ts';

/** The part of the table about what has to be signed for. */

const changed = answer<SigningKeyChange>('In force on every worker, unless the snapshot is null');

export const signingRoutes = {
  sign: {
    ...addresses.sign,
    summary: 'A token for what an environment guards',
    params: environmentParams,
    query: nothing,
    body: signedPolicySchema,
    answer: answer<TokenView>('By the newest key; the first is made when there is none'),
  },
  signingKeys: {
    ...addresses.signingKeys,
    summary: 'The keys an environment signs by',
    params: environmentParams,
    query: nothing,
    body: null,
    answer: answer<SigningKeysView>('In the clear: the socket is the owner’s alone'),
  },
  rotateSigningKey: {
    ...addresses.rotateSigningKey,
    summary: 'Sign by a new key; what the others have signed goes on passing',
    params: environmentParams,
    query: nothing,
    body: z.strictObject({ by: byField }),
    answer: changed,
  },
  revokeSigningKey: {
    ...addresses.revokeSigningKey,
    summary: 'Let nothing pass any more that this key has signed',
    params: environmentParams.extend({ key: z.string() }),
    query: z.strictObject({ by: byField }),
    body: null,
    answer: changed,
  },
} as const satisfies Record<string, Route>;
