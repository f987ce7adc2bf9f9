/** The field that says what a cache did, and why (RFC 9211). */

/** Why a request went on to the app. */
export type Forwarded =
  | 'bypass'
  | 'method'
  | 'uri-miss'
  | 'vary-miss'
  | 'miss'
  | 'request'
  | 'stale'
  | 'partial';

export interface CacheReport {
  /** Null: it was answered from what is kept. */
  forwarded: Forwarded | null;
  /** What the app answered; null where it was not asked, or said nothing. */
  status: number | null;
  /** Seconds left of the lifetime, negative when stale; null: nothing is kept. */
  ttlS: number | null;
  stored: boolean;
  /** It waited for another's request. */
  collapsed: boolean;
  /** Belay's own words; a token. Empty: none. */
  detail: string;
}

/** By which edge, where it has a zone: members of several are told apart by it. */
export const cacheName = (zone: string | null): string =>
  zone === null ? 'belay' : `belay-${zone}`;

/** @param name of the cache */
export function cacheStatus(name: string, report: CacheReport): string {
  const { forwarded, status, ttlS, stored, collapsed, detail } = report;
  return [
    name,
    forwarded === null ? 'hit' : `fwd=${forwarded}`,
    ...(status === null ? [] : [`fwd-status=${status}`]),
    ...(ttlS === null ? [] : [`ttl=${ttlS}`]),
    ...(stored ? ['stored'] : []),
    ...(collapsed ? ['collapsed'] : []),
    ...(detail === '' ? [] : [`detail=${detail}`]),
  ].join('; ');
}
