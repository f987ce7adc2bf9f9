import { fieldOf, withoutFields } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { CacheRequest } from './cache-request.ts';
import type { Forwarded } from './cache-status.ts';
import type { KeptResponse } from './kept-response.ts';
import { normalEncoding } from './variant.ts';

/** About a body, of which there is none: some apps answer 400 to them, or take them at their word. */
const OF_A_BODY: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
]);
export interface FetchReason {
  /** Of what is fetched: those who ask for the same wait for it. */
  key: string;
  why: Forwarded;
  /** What is asked about; null: nothing is kept. */
  stale: KeptResponse | null;
  /** Nobody else is to wait for it. */
  alone: boolean;
  /** A part of it is asked for, the same by all. */
  isPart: boolean;
  /** So many were answered with an error while it waited for them. */
  failures: number;
}

/** What a client asks about what it has; the cache asks about what it has itself. */
const CONDITIONS: ReadonlySet<string> = new Set([
  ...OF_A_BODY,
  'if-modified-since',
  'if-none-match',
  'if-range',
  'range',
]);
/** Beside the part of it that is wanted. */
const CONDITIONS_OF_PART: ReadonlySet<string> = new Set([
  ...OF_A_BODY,
  'if-modified-since',
  'if-none-match',
]);

/** What the app is asked: for the whole, for a part, or whether what is kept is still right. */
export function requestFor(
  { head, sharedFields, sharedTarget }: CacheRequest,
  { stale, alone, isPart }: FetchReason,
): RequestHead {
  // For one client alone, the app may say that it has it already.
  const conditions = isPart ? CONDITIONS_OF_PART : CONDITIONS;
  let fields = withoutFields(sharedFields, alone && stale === null ? OF_A_BODY : conditions);
  fields = withNormalEncoding(fields);
  if (stale !== null) {
    const { etag, lastModified } = stale.kept;
    if (etag !== null) fields += `If-None-Match: ${etag}\r\n`;
    if (lastModified !== null) fields += `If-Modified-Since: ${lastModified}\r\n`;
  }
  return { ...head, method: 'GET', target: sharedTarget, minorVersion: 1, keepAlive: true, fields };
}

const ENCODING: ReadonlySet<string> = new Set(['accept-encoding']);

/** The app is told what the variants of its answers are told apart by. */
function withNormalEncoding(fields: string): string {
  const value = fieldOf(fields, 'accept-encoding');
  if (value === null) return fields;
  const accepted = normalEncoding(value);
  // To accept nothing is said by a word: without the field any coding would do.
  return `${withoutFields(fields, ENCODING)}Accept-Encoding: ${accepted || 'identity'}\r\n`;
}
