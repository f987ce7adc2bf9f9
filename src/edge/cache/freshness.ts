import { LONGEST_S } from '../../model/cache.ts';
import type { CacheControl } from './cache-control.ts';
import { parseHttpDate } from './http-date.ts';

/** How long a response may be used without asking, and how old it is (RFC 9111 section 4.2). */

/** What a response says of its age. */
export interface TimeFields {
  date: string | null;
  age: string | null;
  expires: string | null;
  lastModified: string | null;
}

export type LifetimeSource = 's-maxage' | 'max-age' | 'expires' | 'heuristic' | 'none';

export interface Lifetime {
  seconds: number;
  source: LifetimeSource;
}

/** Statuses that may be kept without being told for how long (RFC 9110 section 15.1). */
export const HEURISTIC_STATUSES: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);
/** What is usual (RFC 9111 section 4.2.2). */
const HEURISTIC_SHARE = 0.1;
const LONGEST_HEURISTIC_S = 86_400;

/**
 * @param heuristics whether a lifetime may be guessed where none is told
 * @param receivedAt milliseconds since the epoch
 */
export function lifetimeOf(
  status: number,
  control: CacheControl,
  fields: TimeFields,
  receivedAt: number,
  heuristics: boolean,
): Lifetime {
  if (control.sharedMaxAgeS !== null) {
    return { seconds: control.sharedMaxAgeS, source: 's-maxage' };
  }
  if (control.maxAgeS !== null) return { seconds: control.maxAgeS, source: 'max-age' };
  const dateAt = dateOf(fields, receivedAt);
  if (fields.expires !== null) {
    // What is no date, `0` above all, lies in the past (RFC 9111 section 5.3).
    const expiresAt = parseHttpDate(fields.expires, receivedAt);
    const seconds = expiresAt === null ? 0 : Math.max(0, Math.floor((expiresAt - dateAt) / 1000));
    return { seconds: Math.min(LONGEST_S, seconds), source: 'expires' };
  }
  if (!heuristics || !(HEURISTIC_STATUSES.has(status) || control.public)) {
    return { seconds: 0, source: 'none' };
  }
  const modifiedAt =
    fields.lastModified === null ? null : parseHttpDate(fields.lastModified, receivedAt);
  if (modifiedAt === null || modifiedAt >= dateAt) return { seconds: 0, source: 'none' };
  const guess = Math.floor(((dateAt - modifiedAt) / 1000) * HEURISTIC_SHARE);
  return { seconds: Math.min(LONGEST_HEURISTIC_S, guess), source: 'heuristic' };
}

/** How old it was when it came, in milliseconds (RFC 9111 section 4.2.3). */
export function ageOnArrivalMs(
  fields: TimeFields,
  requestedAt: number,
  receivedAt: number,
): number {
  const apparentMs = Math.max(0, receivedAt - dateOf(fields, receivedAt));
  return Math.max(apparentMs, toldAgeMs(fields) + Math.max(0, receivedAt - requestedAt));
}

/** How old it was when it left whoever answered. */
export const toldAgeMs = ({ age }: TimeFields): number => ageSeconds(age) * 1000;

function dateOf({ date }: TimeFields, receivedAt: number): number {
  return (date === null ? null : parseHttpDate(date, receivedAt)) ?? receivedAt;
}

/** The first of a list counts; what is no number is as if it were not there (RFC 9111 section 5.1). */
function ageSeconds(age: string | null): number {
  const [first = ''] = (age ?? '').split(',', 1);
  const text = first.trim();
  return /^\d+$/.test(text) ? Math.min(LONGEST_S, Number(text)) : 0;
}
