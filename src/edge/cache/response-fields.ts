import type { TimeFields } from './freshness.ts';

/** What a cache reads of a response's header lines; lines of one name are one list. */
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

const LISTS = {
  'cache-control': 'cacheControl',
  'cdn-cache-control': 'cdnCacheControl',
  vary: 'vary',
  age: 'age',
  'cache-tag': 'cacheTag',
} as const;

const SINGLE = {
  date: 'date',
  expires: 'expires',
  'last-modified': 'lastModified',
  etag: 'etag',
  'content-range': 'contentRange',
  'content-encoding': 'contentEncoding',
  'content-location': 'contentLocation',
  location: 'location',
} as const;

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
  if (name in LISTS) {
    const key = LISTS[name as keyof typeof LISTS];
    fields[key] = fields[key] === null ? value : `${fields[key]}, ${value}`;
  } else if (name in SINGLE) {
    const key = SINGLE[name as keyof typeof SINGLE];
    fields[key] ??= value;
  } else if (name === 'set-cookie') {
    fields.setsCookie = true;
  }
}
