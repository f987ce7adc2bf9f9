import { parseHttpDate } from './http-date.ts';

/** Whether a client has already what is kept (RFC 9110 section 13, RFC 9111 section 4.3.2). */

export interface Conditions {
  ifNoneMatch: string | null;
  ifModifiedSince: string | null;
}

export interface Validators {
  etag: string | null;
  lastModified: string | null;
  /** When the app made it. */
  date: string | null;
}

/** So much later than Last-Modified a Date has to be for nothing to have changed in between. */
const STRONG_AFTER_MS = 1000;

/** @param now to read old forms of dates */
export function isNotModified(
  { ifNoneMatch, ifModifiedSince }: Conditions,
  { etag, lastModified, date }: Validators,
  now: number,
): boolean {
  // With If-None-Match there, the other says nothing (section 13.1.3).
  if (ifNoneMatch !== null) return matchesWeakly(ifNoneMatch, etag);
  if (ifModifiedSince === null) return false;
  const since = parseHttpDate(ifModifiedSince, now);
  // What does not say when it changed is as new as it is (RFC 9111 section 4.3.2).
  const modified = momentOf(lastModified, now) ?? momentOf(date, now);
  return since !== null && modified !== null && modified <= since;
}

/**
 * Whether a range of what is kept continues what a client has (section 13.1.5): strongly.
 *
 * @param now to read old forms of dates
 */
export function continues(
  ifRange: string | null,
  { etag, lastModified, date }: Validators,
  now: number,
): boolean {
  if (ifRange === null) return true;
  if (ifRange.startsWith('"')) return ifRange === etag;
  if (lastModified === null || ifRange !== lastModified) return false;
  const modified = momentOf(lastModified, now);
  const made = momentOf(date, now);
  // Within a second it may have changed twice (section 8.8.2.2).
  return modified !== null && made !== null && made - modified >= STRONG_AFTER_MS;
}

const ENTITY_TAG = /(?:W\/)?("[!#-~\x80-\xff]*")/g;

/** What is in the list, and `*`, which stands for anything there is (section 13.1.2). */
function matchesWeakly(list: string, etag: string | null): boolean {
  if (list.trim() === '*') return true;
  if (etag === null) return false;
  // A tag without its quotes is none, and yet apps send them, and clients send them back.
  if (list === etag) return true;
  const opaque = etag.replace(/^W\//, '');
  return [...list.matchAll(ENTITY_TAG)].some(([, tag]) => tag === opaque);
}

const momentOf = (text: string | null, now: number): number | null =>
  text === null ? null : parseHttpDate(text, now);
