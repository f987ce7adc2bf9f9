import { withoutFields } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { CacheRequest } from './cache-request.ts';
import type { FetchReason } from './fetch.ts';

/** What a client asks about what it has; the cache asks about what it has itself. */
const CONDITIONS: ReadonlySet<string> = new Set([
  'if-modified-since',
  'if-none-match',
  'if-range',
  'range',
]);

/** What the app is asked: for the whole, or whether what is kept is still right. */
export function requestFor(
  { head, sharedFields, sharedTarget }: CacheRequest,
  { stale, alone }: FetchReason,
): RequestHead {
  // For one client alone, the app may say that it has it already.
  let fields = alone && stale === null ? sharedFields : withoutFields(sharedFields, CONDITIONS);
  if (stale !== null) {
    const { etag, lastModified } = stale.kept;
    if (etag !== null) fields += `If-None-Match: ${etag}\r\n`;
    if (lastModified !== null) fields += `If-Modified-Since: ${lastModified}\r\n`;
  }
  return { ...head, method: 'GET', target: sharedTarget, minorVersion: 1, keepAlive: true, fields };
}
