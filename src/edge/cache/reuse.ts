import type { CacheControl } from './cache-control.ts';

/** Whether what is kept answers a request without asking the app (RFC 9111 section 4, RFC 5861). */

/** What is remembered of a kept response to tell its age and what it allows. Times in milliseconds. */
export interface KeptTimes {
  /** By the clock that nobody sets. */
  receivedAt: number;
  ageOnArrivalMs: number;
  lifetimeMs: number;
  /** Every use has to be asked about. */
  alwaysAsk: boolean;
  /** Never used stale, whatever happens. */
  neverStale: boolean;
  staleWhileRevalidateMs: number;
  /** Null: the app says nothing of it. */
  staleIfErrorMs: number | null;
  /** While it is fresh, a reload changes nothing (RFC 8246). */
  immutable: boolean;
}

/** What a response allows beyond its lifetime. */
export type Allowed = Required<Omit<KeptTimes, 'receivedAt' | 'ageOnArrivalMs' | 'lifetimeMs'>>;

/** @param staleWhileRevalidateS where the app says nothing of it */
export function allowedBy(control: CacheControl, staleWhileRevalidateS: number): Allowed {
  const whileRevalidateS = control.staleWhileRevalidateS;
  const saysHowStale = whileRevalidateS !== null || control.staleIfErrorS !== null;
  // s-maxage has proxy-revalidate in it (section 5.2.2.10), where the app does not say otherwise.
  const isSharedOnly = control.sharedMaxAgeS !== null && !saysHowStale;
  return {
    alwaysAsk: control.noCache,
    neverStale: control.mustRevalidate || control.proxyRevalidate || isSharedOnly,
    staleWhileRevalidateMs: (whileRevalidateS ?? staleWhileRevalidateS) * 1000,
    staleIfErrorMs: control.staleIfErrorS === null ? null : control.staleIfErrorS * 1000,
    immutable: control.immutable,
  };
}

/** What a request says of it. */
export type RequestWishes = Pick<
  CacheControl,
  'noCache' | 'maxAgeS' | 'minFreshS' | 'maxStaleS' | 'onlyIfCached'
>;

/**
 * fresh    answers
 * stale    answers, and is asked about behind it
 * ask      the app has to be asked: because it is stale, or because the request wants it
 */
export type Reuse =
  | { kind: 'fresh'; ttlMs: number }
  | { kind: 'stale'; ttlMs: number; refresh: boolean }
  | { kind: 'ask'; why: 'stale' | 'request'; ttlMs: number };

/** What is left of its lifetime; negative once it is stale. */
export const ttlMsOf = (kept: KeptTimes, nowMs: number): number =>
  kept.lifetimeMs - ageMsOf(kept, nowMs);

export const ageMsOf = ({ ageOnArrivalMs, receivedAt }: KeptTimes, nowMs: number): number =>
  ageOnArrivalMs + Math.max(0, nowMs - receivedAt);

export function reuseOf(kept: KeptTimes, wishes: RequestWishes | null, nowMs: number): Reuse {
  const ttlMs = ttlMsOf(kept, nowMs);
  if (wishes !== null && asksAnyway(kept, wishes, ttlMs, nowMs)) {
    return { kind: 'ask', why: 'request', ttlMs };
  }
  if (kept.alwaysAsk) return { kind: 'ask', why: 'stale', ttlMs };
  if (ttlMs > 0) return { kind: 'fresh', ttlMs };
  if (kept.neverStale) return { kind: 'ask', why: 'stale', ttlMs };
  const staleMs = -ttlMs;
  if (staleMs < (wishes?.maxStaleS ?? 0) * 1000) return { kind: 'stale', ttlMs, refresh: false };
  // Who says how old or how fresh it has to be does not want it stale (section 5.2.1).
  const takesStale = wishes === null || (wishes.maxAgeS === null && wishes.minFreshS === null);
  if (takesStale && staleMs < kept.staleWhileRevalidateMs) {
    return { kind: 'stale', ttlMs, refresh: true };
  }
  return { kind: 'ask', why: 'stale', ttlMs };
}

/**
 * Whether it answers those who wait for it while it comes, or each of them has to ask for himself. What
 * was fresh when it left may be stale when it comes: the slower the app, the less can it do with all of
 * them.
 *
 * @param toldAgeMs when it left
 */
export const isForOthers = (
  { alwaysAsk, lifetimeMs }: Pick<KeptTimes, 'alwaysAsk' | 'lifetimeMs'>,
  toldAgeMs = 0,
): boolean => !alwaysAsk && lifetimeMs > toldAgeMs;

function asksAnyway(
  kept: KeptTimes,
  { noCache, maxAgeS, minFreshS, maxStaleS }: RequestWishes,
  ttlMs: number,
  nowMs: number,
): boolean {
  if (noCache) return true;
  const isSettled = kept.immutable && ttlMs > 0;
  if (maxAgeS !== null && !isSettled && ageMsOf(kept, nowMs) > maxAgeS * 1000) return true;
  // What may be stale need not be fresh.
  return minFreshS !== null && maxStaleS === null && ttlMs < minFreshS * 1000;
}

/**
 * Whether it may answer because the app cannot, or answers with an error (RFC 5861 section 4).
 *
 * @param otherwiseMs for how long where the response says nothing of it
 */
export function mayAnswerForError(kept: KeptTimes, otherwiseMs: number, nowMs: number): boolean {
  if (kept.alwaysAsk) return false;
  const ttlMs = ttlMsOf(kept, nowMs);
  if (ttlMs > 0) return true;
  return !kept.neverStale && -ttlMs < (kept.staleIfErrorMs ?? otherwiseMs);
}
