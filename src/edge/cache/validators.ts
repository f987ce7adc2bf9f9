import { parseHttpDate } from './http-date.ts';

/** Whether a client has already what is kept (RFC 9110 section 13). */

export interface Conditions {
  ifNoneMatch: string | null;
  ifModifiedSince: string | null;
}

export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

/** @param now to read old forms of dates */
export function isNotModified(
  { ifNoneMatch, ifModifiedSince }: Conditions,
  { etag, lastModified }: Validators,
  now: number,
): boolean {
  // With If-None-Match there, the other says nothing (section 13.1.3).
  if (ifNoneMatch !== null) return etag !== null && matchesWeakly(ifNoneMatch, etag);
  if (ifModifiedSince === null || lastModified === null) return false;
  const since = parseHttpDate(ifModifiedSince, now);
  const modified = parseHttpDate(lastModified, now);
  return since !== null && modified !== null && modified <= since;
}

/** Whether a range of what is kept continues what a client has (section 13.1.5): strongly. */
export function continues(ifRange: string | null, { etag, lastModified }: Validators): boolean {
  if (ifRange === null) return true;
  if (ifRange.startsWith('"')) return ifRange === etag;
  return !ifRange.startsWith('W/') && lastModified !== null && ifRange === lastModified;
}

const ENTITY_TAG = /(?:W\/)?("[!#-~\x80-\xff]*")/g;

function matchesWeakly(list: string, etag: string): boolean {
  if (list.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return [...list.matchAll(ENTITY_TAG)].some(([, tag]) => tag === opaque);
}
