import { withoutFields } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ExchangeClient } from '../worker/exchange-client.ts';
import type { CacheRequest } from './cache-request.ts';
import type { FetchReason } from './fetch.ts';

/** What a client asks about what it has; the cache asks about what it has itself. */
const CONDITIONS: ReadonlySet<string> = new Set([
  'if-modified-since',
  'if-none-match',
  'if-range',
  'range',
]);

/** What tells of the client, as it is now: the connection may be on another request by then. */
export function remembered(
  forwarded: CacheRequest['client']['forwarded'],
  head: RequestHead,
): ExchangeClient['forwarded'] {
  const { requestId } = forwarded;
  const client = forwarded.clientOf(head);
  const text = forwarded.forRequest(head);
  return { requestId, clientOf: () => client, forRequest: () => text };
}

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
