import type { TimeFields } from './freshness.ts';

/** What a cache reads of a response's header lines. */
export interface ResponseFields extends TimeFields {
  cacheControl: string | null;
  /** Targeted at shared caches of an operator (RFC 9213). */
  cdnCacheControl: string | null;
  vary: string | null;
  etag: string | null;
  contentRange: string | null;
  contentEncoding: string | null;
  contentLocation: string | null;
  location: string | null;
  setsCookie: boolean;
  /** Of the app's own choice, to purge by; `Cache-Tag` as others have it. */
  cacheTag: string | null;
}

type ListKey = 'cacheControl' | 'cdnCacheControl' | 'vary' | 'age' | 'contentEncoding' | 'cacheTag';
type SingleKey = Exclude<keyof ResponseFields, ListKey | 'setsCookie'>;

/** Lines of these are one list. */
const LISTS: ReadonlyMap<string, ListKey> = new Map([
  ['cache-control', 'cacheControl'],
  ['cdn-cache-control', 'cdnCacheControl'],
  ['vary', 'vary'],
  ['age', 'age'],
  ['content-encoding', 'contentEncoding'],
  ['cache-tag', 'cacheTag'],
]);

/** Of several lines of one of these the first counts. */
const SINGLE: ReadonlyMap<string, SingleKey> = new Map([
  ['date', 'date'],
  ['expires', 'expires'],
  ['last-modified', 'lastModified'],
  ['etag', 'etag'],
  ['content-range', 'contentRange'],
  ['content-location', 'contentLocation'],
  ['location', 'location'],
]);

/** @param lines header lines whose form is right, each with its CRLF */
export function readResponseFields(lines: string): ResponseFields {
  const fields: ResponseFields = {
    cacheControl: null,
    cdnCacheControl: null,
    date: null,
    age: null,
    expires: null,
    lastModified: null,
    vary: null,
    etag: null,
    contentRange: null,
    contentEncoding: null,
    contentLocation: null,
    location: null,
    setsCookie: false,
    cacheTag: null,
  };
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    readLine(fields, lines.slice(start, colon).toLowerCase(), lines.slice(colon + 1, end).trim());
    start = end + 2;
  }
  return fields;
}

function readLine(fields: ResponseFields, name: string, value: string): void {
  const list = LISTS.get(name);
  const single = SINGLE.get(name);
  if (list !== undefined) {
    fields[list] = fields[list] === null ? value : `${fields[list]}, ${value}`;
  } else if (single !== undefined) {
    fields[single] ??= value;
  } else if (name === 'set-cookie') {
    fields.setsCookie = true;
  }
}
