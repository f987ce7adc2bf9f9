import { fieldLines, withoutFields } from '../http/field-lines.ts';
import type { ResponseFields } from './response-fields.ts';
import type { Validators } from './validators.ts';

/** What a newer head says of a response that is kept (RFC 9111 sections 3.2, 4.3.4 and 4.3.5). */

/** They tell of the body that is kept, not of one that did not come. */
const OF_THE_BODY = new Set([
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'digest',
  'etag',
  'repr-digest',
  'transfer-encoding',
]);

/** The header lines of a kept response after a 304 for it, or an answer to a HEAD that fits it. */
export function freshened(keptLines: string, receivedLines: string): string {
  const replaced = new Set(['date']);
  let received = '';
  for (const { name, text } of fieldLines(receivedLines)) {
    if (OF_THE_BODY.has(name)) continue;
    replaced.add(name);
    received += text;
  }
  // Without a Date of its own it is as new as it came: the old one would make it old again.
  return withoutFields(keptLines, replaced) + received;
}

/**
 * Whether a 304 is about what is kept (section 4.3.4). One that names no validator is taken to be: it
 * was asked about one response, by name.
 */
export function isAbout(
  kept: Pick<Validators, 'etag' | 'lastModified'>,
  received: ResponseFields,
): boolean {
  const { etag, lastModified } = received;
  if (etag?.startsWith('W/')) return opaque(etag) === opaque(kept.etag);
  if (etag !== null) return etag === kept.etag;
  return lastModified === null || lastModified === kept.lastModified;
}

/** Whether the head that a GET would have now is of the body that is kept (section 4.3.5). */
export function isStillOf(
  kept: Pick<Validators, 'etag' | 'lastModified'> & { bodyBytes: number },
  received: ResponseFields,
  contentLength: number | null,
): boolean {
  if (contentLength !== null && contentLength !== kept.bodyBytes) return false;
  if (received.etag !== null && received.etag !== kept.etag) return false;
  return received.lastModified === null || received.lastModified === kept.lastModified;
}

const opaque = (etag: string | null): string | undefined => etag?.replace(/^W\//, '');
