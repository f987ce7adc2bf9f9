import type { CacheControl } from './cache-control.ts';
import { type Lifetime, lifetimeOf } from './freshness.ts';
import type { ResponseFields } from './response-fields.ts';

/** Whether a response may be kept for everybody, and for how long (RFC 9111 section 3). */

export interface StoringRequest {
  method: string;
  hasAuthorization: boolean;
  noStore: boolean;
}

/** What the operator's rule for the path says beside what the app says; in seconds. */
export interface StoringRule {
  leastS: number;
  /** Where the app says nothing; null: nothing is kept then. */
  otherwiseS: number | null;
  mostS: number;
  heuristics: boolean;
  /** For errors about which the app says nothing; null: they are not kept. */
  errorS: number | null;
}

export type Storing =
  | { store: true; lifetime: Lifetime; withoutFields: readonly string[] }
  | { store: false; why: WhyNotStored };

export type WhyNotStored =
  | 'method'
  | 'status'
  | 'request-no-store'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'set-cookie'
  | 'vary-star'
  | 'not-allowed';

/**
 * Final statuses whose meaning for a cache this one knows. Not 400, 413, 417 and 431: they are about a
 * request with more in it than a key has, and whoever sends a bad one would speak for everybody.
 */
const UNDERSTOOD = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 403, 404, 405, 410, 414, 451, 500, 501, 502,
  503, 504,
]);
/** What may be kept for a while although the app does not say so, where the rule says so. */
const NEGATIVE = new Set([404, 405, 410, 414, 500, 501, 502, 503, 504]);

export function mayStore(
  request: StoringRequest,
  status: number,
  control: CacheControl,
  fields: ResponseFields,
  rule: StoringRule,
  receivedAt: number,
): Storing {
  const why = whyNot(request, status, control, fields);
  if (why !== null) return { store: false, why };
  const lifetime = clamped(
    lifetimeOf(status, control, fields, receivedAt, rule.heuristics),
    status,
    rule,
  );
  if (lifetime === null) return { store: false, why: 'not-allowed' };
  return {
    store: true,
    lifetime,
    withoutFields: [...control.privateFields, ...control.noCacheFields],
  };
}

function whyNot(
  { method, hasAuthorization, noStore }: StoringRequest,
  status: number,
  control: CacheControl,
  fields: ResponseFields,
): WhyNotStored | null {
  if (method !== 'GET') return 'method';
  if (!UNDERSTOOD.has(status)) return 'status';
  if (noStore) return 'request-no-store';
  // must-understand is for those who do: it stands above no-store (RFC 9111 section 5.2.2.3).
  if (control.noStore && !control.mustUnderstand) return 'no-store';
  if (control.private) return 'private';
  if (hasAuthorization && !isForAll(control)) return 'authorization';
  const isCookieLeftOut = [...control.privateFields, ...control.noCacheFields].includes(
    'set-cookie',
  );
  if (fields.setsCookie && !isCookieLeftOut) return 'set-cookie';
  return fields.vary?.includes('*') ? 'vary-star' : null;
}

/** What lets an answer to somebody who is known be kept for everybody (RFC 9111 section 3.5). */
const isForAll = ({ mustRevalidate, public: isPublic, sharedMaxAgeS }: CacheControl): boolean =>
  mustRevalidate || isPublic || sharedMaxAgeS !== null;

/** Null: neither the app nor the rule allows it to be kept. */
function clamped(lifetime: Lifetime, status: number, rule: StoringRule): Lifetime | null {
  if (lifetime.source !== 'none') {
    const seconds = Math.min(rule.mostS, Math.max(rule.leastS, lifetime.seconds));
    return { ...lifetime, seconds };
  }
  const otherwiseS = NEGATIVE.has(status) ? rule.errorS : rule.otherwiseS;
  if (otherwiseS === null) return null;
  return { seconds: Math.max(rule.leastS, otherwiseS), source: 'none' };
}
