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
  staleIfErrorMs: number;
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
  if (-ttlMs < kept.staleWhileRevalidateMs) return { kind: 'stale', ttlMs, refresh: true };
  const maxStaleMs = (wishes?.maxStaleS ?? 0) * 1000;
  if (-ttlMs < maxStaleMs) return { kind: 'stale', ttlMs, refresh: false };
  return { kind: 'ask', why: 'stale', ttlMs };
}

function asksAnyway(
  kept: KeptTimes,
  { noCache, maxAgeS, minFreshS }: RequestWishes,
  ttlMs: number,
  nowMs: number,
): boolean {
  if (noCache) return true;
  if (maxAgeS !== null && ageMsOf(kept, nowMs) > maxAgeS * 1000) return true;
  return minFreshS !== null && ttlMs < minFreshS * 1000;
}

/**
 * Whether it may answer because the app cannot, or answers with an error.
 *
 * @param otherwiseMs for how long where the response says nothing of it
 */
export function mayAnswerForError(kept: KeptTimes, otherwiseMs: number, nowMs: number): boolean {
  if (kept.alwaysAsk || kept.neverStale) return false;
  const ttlMs = ttlMsOf(kept, nowMs);
  return ttlMs > 0 || -ttlMs < Math.max(kept.staleIfErrorMs, otherwiseMs);
}
