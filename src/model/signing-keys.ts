import type { Variables } from './configuration.ts';
import type { SigningKey } from './signed-token.ts';

/**
 * The keys an environment's tokens are signed by. The newest signs; what older ones have signed passes
 * until they are taken back, so that a key can be replaced without anybody's address ceasing to work.
 */
export interface SigningKeys {
  /** How many there ever were: an id is given once. */
  made: number;
  /** The newest first; empty before the first was needed. */
  keys: readonly DatedSigningKey[];
}

export interface DatedSigningKey extends SigningKey {
  createdAt: number;
}

/** Two are enough to replace one by another; each costs a hash for a token that is wrong. */
export const MOST_SIGNING_KEYS = 5;

export const NO_SIGNING_KEYS: SigningKeys = { made: 0, keys: [] };

/** 256 bits, in hexadecimal digits. */
export const SIGNING_KEY_DIGITS = 64;

/** With another, which signs from now on. @param secret random */
export function withNewKey({ made, keys }: SigningKeys, secret: string, now: number): SigningKeys {
  const key: DatedSigningKey = { id: `k${made + 1}`, secret, createdAt: now };
  return { made: made + 1, keys: [key, ...keys] };
}

export const withoutKey = ({ made, keys }: SigningKeys, id: string): SigningKeys => ({
  made,
  keys: keys.filter((key) => key.id !== id),
});

/** By which a program of the environment signs. @param keys the newest first */
export function signingVariables([newest]: readonly SigningKey[]): Variables {
  if (newest === undefined) return {};
  return { BELAY_SIGNING_KEY_ID: newest.id, BELAY_SIGNING_KEY: newest.secret };
}

/** What is asked for in a token, and what came of it. */
export interface TokenView {
  token: string;
  /** The id of the key that has signed it. */
  key: string;
  /** Something there has to be signed for; otherwise nobody needs it. */
  needed: boolean;
}

export interface SigningKeysView {
  application: string;
  environment: string;
  /** The newest first: it signs. */
  keys: DatedSigningKey[];
}

export interface SigningKeyChange extends SigningKeysView {
  /** In force on every worker since this snapshot; null while the edge cannot be reached. */
  snapshot: number | null;
}
