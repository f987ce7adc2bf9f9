import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { isAddressRange } from './address-range.ts';

/**
 * Permission to ask for what is guarded, that can be handed on: what it is for, and a signature that
 * only who has an environment's key can make. `<key id>.<policy>.<signature>`, where the policy is JSON in
 * base64url and the signature is HMAC-SHA-256, with the key's characters, of all before its dot. It is
 * CloudFront's custom policy in one piece, so that no part can be left out, said twice or exchanged.
 *
 * It travels in a query parameter or in a cookie. docs/cache.md tells apps how to make one.
 */

/** Of a URL. */
export const TOKEN_PARAMETER = 'belay-token';
export const TOKEN_COOKIE = 'BELAYTOKEN';

const KEY_ID = /^k[1-9]\d{0,5}$/;
const LONGEST_POLICY = 4_096;
const TOKEN = new RegExp(
  `^(k[1-9]\\d{0,5})\\.([A-Za-z0-9_-]{1,${LONGEST_POLICY}})\\.([A-Za-z0-9_-]{43})$`,
);

/** Seconds since the epoch, until the year 9999. */
const moment = z.int().min(0).max(253_402_300_799);

export const signedPolicySchema = z.strictObject({
  /**
   * What it is for: a path and perhaps `?` with a query, as they stand in a request; `*` stands for any
   * characters. Without a `?`, the query may be any.
   */
  path: z.string().regex(/^\/[!"$-~]*$/),
  /** The first moment at which it does not hold any more. */
  expires: moment,
  /** The first moment at which it holds; left out: since ever. */
  starts: moment.optional(),
  /** Of the client: an address, or a range of them; left out: any. */
  address: z.string().refine(isAddressRange).optional(),
});
export type SignedPolicy = z.infer<typeof signedPolicySchema>;

export const signingKeySchema = z.strictObject({
  /** Counts up over the life of an environment. */
  id: z.string().regex(KEY_ID),
  /** 256 bits in hexadecimal digits. */
  secret: z.string().regex(/^[0-9a-f]{64}$/),
});
export type SigningKey = z.infer<typeof signingKeySchema>;

export function signToken(policy: SignedPolicy, key: SigningKey): string {
  const signed = `${key.id}.${Buffer.from(JSON.stringify(policy)).toString('base64url')}`;
  return `${signed}.${signature(signed, key)}`;
}

/** What a token is for; null when no key of these has signed it. */
export function readToken(token: string, keys: readonly SigningKey[]): SignedPolicy | null {
  const [, id, policy = '', given = ''] = TOKEN.exec(token) ?? [];
  // Two environments that have swapped names may have keys of the same id.
  const isSigned = keys.some(
    (key) => key.id === id && isEqual(given, signature(`${id}.${policy}`, key)),
  );
  return isSigned ? readPolicy(Buffer.from(policy, 'base64url').toString()) : null;
}

/** Texts are compared, because the same bytes have more than one. */
const isEqual = (given: string, right: string): boolean =>
  timingSafeEqual(Buffer.from(right, 'latin1'), Buffer.from(given, 'latin1'));

const signature = (signed: string, { secret }: SigningKey): string =>
  createHmac('sha256', secret).update(signed).digest('base64url');

/** Apps sign too, and may get it wrong. */
function readPolicy(json: string): SignedPolicy | null {
  try {
    return signedPolicySchema.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}
