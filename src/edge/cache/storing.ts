import type { CacheControl } from './cache-control.ts';
import { HEURISTIC_STATUSES, type Lifetime, lifetimeOf } from './freshness.ts';
import type { ResponseFields } from './response-fields.ts';
import { varyNames } from './variant.ts';

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
  | 'no-cache'
  | 'private'
  | 'authorization'
  | 'set-cookie'
  | 'vary-star'
  | 'not-allowed';

/** Final statuses whose meaning for a cache this one knows; for a response that asks for it. */
const UNDERSTOOD = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 403, 404, 405, 410, 414, 451, 500, 501, 502, 503,
  504,
]);
/**
 * Never an answer for others: 206 and 304 are none by themselves. The rest is about a request with
 * more in it than a key has, or about the client: whoever sends a bad request would speak for all.
 */
const FOR_ONE = new Set([
  206, 304, 400, 401, 407, 408, 411, 412, 413, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431,
  511,
]);
/** What may be kept for a while although the app does not say so, where the rule says so. */
const ERRORS = new Set([404, 405, 410, 414, 500, 501, 502, 503, 504]);

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
  const told = lifetimeOf(status, control, fields, receivedAt, rule.heuristics);
  const lifetime =
    told.source === 'none' ? untold(status, control, rule) : clamped(told, status, rule);
  if (lifetime === null && control.noCache) {
    // The app will be asked whenever it is used.
    return stored({ seconds: 0, source: 'none' }, control);
  }
  if (lifetime === null) return { store: false, why: 'not-allowed' };
  return stored(lifetime, control);
}

const stored = (lifetime: Lifetime, control: CacheControl): Storing => ({
  store: true,
  lifetime,
  withoutFields: fieldsOfOne(control),
});

/** What may not be given to others, of an answer that may. */
const fieldsOfOne = (control: CacheControl): string[] => [
  ...control.privateFields,
  ...control.noCacheFields,
];

function whyNot(
  { method, hasAuthorization, noStore }: StoringRequest,
  status: number,
  control: CacheControl,
  fields: ResponseFields,
): WhyNotStored | null {
  if (method !== 'GET') return 'method';
  if (status < 200 || FOR_ONE.has(status)) return 'status';
  if (control.mustUnderstand && !UNDERSTOOD.has(status)) return 'status';
  if (noStore) return 'request-no-store';
  // must-understand is for those who do: it stands above no-store (RFC 9111 section 5.2.2.3).
  if (control.noStore && !control.mustUnderstand) return 'no-store';
  if (control.private) return 'private';
  if (hasAuthorization && !isForAll(control)) return 'authorization';
  if (fields.setsCookie && !fieldsOfOne(control).includes('set-cookie')) return 'set-cookie';
  if (varyNames(fields.vary).includes('*')) return 'vary-star';
  // Always to be asked about, and nothing to ask by.
  const isUseless = control.noCache && fields.etag === null && fields.lastModified === null;
  return isUseless ? 'no-cache' : null;
}

/** What lets an answer to somebody who is known be kept for everybody (RFC 9111 section 3.5). */
const isForAll = ({ mustRevalidate, public: isPublic, sharedMaxAgeS }: CacheControl): boolean =>
  mustRevalidate || isPublic || sharedMaxAgeS !== null;

/** An error is not kept longer because good answers are. */
function clamped({ seconds, source }: Lifetime, status: number, rule: StoringRule): Lifetime {
  const leastS = ERRORS.has(status) ? 0 : rule.leastS;
  return { seconds: Math.min(rule.mostS, Math.max(leastS, seconds)), source };
}

/** Where the app tells no lifetime. Null: the rule does not either. */
function untold(status: number, control: CacheControl, rule: StoringRule): Lifetime | null {
  if (ERRORS.has(status)) {
    return rule.errorS === null ? null : { seconds: rule.errorS, source: 'none' };
  }
  // What is not made to be kept has to say that it may be (RFC 9111 section 3).
  const mayBe = HEURISTIC_STATUSES.has(status) || control.public;
  if (rule.otherwiseS === null || !mayBe) return null;
  const seconds = Math.min(rule.mostS, Math.max(rule.leastS, rule.otherwiseS));
  return { seconds, source: 'none' };
}
