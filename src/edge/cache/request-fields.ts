import { type CacheControl, parseCacheControl } from './cache-control.ts';

/**
 * What a request says that a cache has to know of every one. What answers may vary by is looked up
 * where they do: nearly all requests say nothing of this, though all have cookies and codings.
 */
export interface CacheRequestFields {
  /** From Cache-Control; from `Pragma: no-cache` where there is none (RFC 9111 section 5.4). */
  cacheControl: CacheControl | null;
  range: string | null;
  ifRange: string | null;
  ifMatch: string | null;
  ifNoneMatch: string | null;
  ifModifiedSince: string | null;
  ifUnmodifiedSince: string | null;
  hasAuthorization: boolean;
  /** The app may take it for a request of another method. */
  overridesMethod: boolean;
  /** The app may take it for a request to another address. */
  overridesAddress: boolean;
}

type TextKey = {
  [Key in keyof CacheRequestFields]: CacheRequestFields[Key] extends string | null ? Key : never;
}[keyof CacheRequestFields];

/** Of these the lines are one list; of those that are none, a list is no valid value. */
const TEXTS: ReadonlyMap<string, TextKey> = new Map([
  ['if-match', 'ifMatch'],
  ['if-modified-since', 'ifModifiedSince'],
  ['if-none-match', 'ifNoneMatch'],
  ['if-range', 'ifRange'],
  ['if-unmodified-since', 'ifUnmodifiedSince'],
  ['range', 'range'],
]);

/**
 * Fields by which a client can make an app answer for another method or address than the key says.
 * Frameworks read them by default (Rails, Symfony, Laravel; Zend and IIS the addresses), and so does
 * whatever list attackers try; `X-Forwarded-…` does not get past the edge unless it wrote it.
 */
const METHOD_OVERRIDES = new Set(['x-http-method-override', 'x-method-override', 'x-http-method']);
const URL_OVERRIDES = new Set([
  'x-original-url',
  'x-original-uri',
  'x-original-path',
  'x-original-host',
  'x-rewrite-url',
  'x-rewrite-uri',
  'x-override-url',
  'x-http-destinationurl',
  'x-http-host-override',
  'x-http-path-override',
  'x-proxy-url',
  'x-host',
]);

const NAMES = [
  ...TEXTS.keys(),
  ...METHOD_OVERRIDES,
  ...URL_OVERRIDES,
  'authorization',
  'cache-control',
  'pragma',
];
const COLON = 0x3a;
/** No name is so long; a power of two. */
const MAX_NAME = 32;
/** By initial in lower case: a bit for each length that one of the names has. */
const lengthsByInitial = new Uint32Array(256);
for (const name of NAMES) {
  const initial = name.charCodeAt(0);
  lengthsByInitial[initial] = (lengthsByInitial[initial] ?? 0) | (1 << name.length);
}

/**
 * Reads the header lines of a request whose form is right, each with its CRLF.
 *
 * @returns null when they say nothing to a cache: nothing is allocated then
 */
export function readRequestFields(fields: string): CacheRequestFields | null {
  let read: CacheRequestFields | null = null;
  let control: string | null = null;
  let pragma: string | null = null;
  for (let start = 0; start < fields.length; ) {
    const end = fields.indexOf('\r\n', start);
    const lengths = lengthsByInitial[fields.charCodeAt(start) | 0x20] ?? 0;
    const nameLength = lengths === 0 ? 0 : nameLengthAt(fields, start, lengths);
    if (nameLength > 0) {
      const name = fields.slice(start, start + nameLength).toLowerCase();
      const value = fields.slice(start + nameLength + 1, end).trim();
      if (name === 'cache-control') control = listed(control, value);
      else if (name === 'pragma') pragma = listed(pragma, value);
      else read = readOther(read, name, value);
    }
    start = end + 2;
  }
  if (control === null && pragma === null) return read;
  read ??= nothingSaid();
  if (control !== null) read.cacheControl = parseCacheControl(control);
  else if (/(^|,)\s*no-cache\s*(,|$)/i.test(pragma ?? '')) {
    read.cacheControl = parseCacheControl('no-cache');
  }
  return read;
}

/** Of the lengths possible the one behind which a colon stands; 0 for none. */
function nameLengthAt(fields: string, start: number, lengths: number): number {
  for (let bits = lengths; bits !== 0; bits &= bits - 1) {
    const length = MAX_NAME - 1 - Math.clz32(bits & -bits);
    if (fields.charCodeAt(start + length) === COLON) return length;
  }
  return 0;
}

function readOther(
  before: CacheRequestFields | null,
  name: string,
  value: string,
): CacheRequestFields | null {
  const key = TEXTS.get(name);
  if (key !== undefined) {
    const read = before ?? nothingSaid();
    read[key] = listed(read[key], value);
    return read;
  }
  const overridesMethod = METHOD_OVERRIDES.has(name);
  const overridesAddress = URL_OVERRIDES.has(name);
  const hasAuthorization = name === 'authorization';
  if (!overridesMethod && !overridesAddress && !hasAuthorization) return before;
  const read = before ?? nothingSaid();
  read.overridesMethod ||= overridesMethod;
  read.overridesAddress ||= overridesAddress;
  read.hasAuthorization ||= hasAuthorization;
  return read;
}

const listed = (before: string | null, value: string): string =>
  before === null ? value : `${before}, ${value}`;

const nothingSaid = (): CacheRequestFields => ({
  cacheControl: null,
  range: null,
  ifRange: null,
  ifMatch: null,
  ifNoneMatch: null,
  ifModifiedSince: null,
  ifUnmodifiedSince: null,
  hasAuthorization: false,
  overridesMethod: false,
  overridesAddress: false,
});
