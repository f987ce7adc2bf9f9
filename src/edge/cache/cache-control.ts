/**
 * Cache-Control as a shared cache reads it (RFC 9111 section 5.2): both forms of a value, any order,
 * unknown directives passed over. Where something is said twice or cannot be read, the stricter
 * reading counts.
 */
export interface CacheControl {
  noStore: boolean;
  noCache: boolean;
  /** `no-cache="set-cookie"`: these fields alone have to be asked for again; empty: none are named. */
  noCacheFields: readonly string[];
  private: boolean;
  /** `private="x"`: these fields alone belong to one client; empty: none are named. */
  privateFields: readonly string[];
  public: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  mustUnderstand: boolean;
  noTransform: boolean;
  immutable: boolean;
  onlyIfCached: boolean;
  /** Seconds; null where nothing is said. */
  maxAgeS: number | null;
  sharedMaxAgeS: number | null;
  minFreshS: number | null;
  /** Infinity: however stale. */
  maxStaleS: number | null;
  staleWhileRevalidateS: number | null;
  staleIfErrorS: number | null;
}

/** What a number beyond it is taken for (RFC 9111 section 1.2.2). */
export const LONGEST_S = 2 ** 31;

const NAMES = {
  'no-store': 'noStore',
  public: 'public',
  'must-revalidate': 'mustRevalidate',
  'proxy-revalidate': 'proxyRevalidate',
  'must-understand': 'mustUnderstand',
  'no-transform': 'noTransform',
  immutable: 'immutable',
  'only-if-cached': 'onlyIfCached',
} as const;

const TIMES = {
  'max-age': 'maxAgeS',
  's-maxage': 'sharedMaxAgeS',
  'min-fresh': 'minFreshS',
  'stale-while-revalidate': 'staleWhileRevalidateS',
  'stale-if-error': 'staleIfErrorS',
} as const;

/** Name, and a value as a token or in quotes; what is between commas otherwise is passed over. */
const DIRECTIVE = /\s*([^\s,="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?[^,]*(?:,|$)/g;

/** @param value of all Cache-Control lines, in order, with commas between them */
export function parseCacheControl(value: string): CacheControl {
  const read: CacheControl = {
    noStore: false,
    noCache: false,
    noCacheFields: [],
    private: false,
    privateFields: [],
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    noTransform: false,
    immutable: false,
    onlyIfCached: false,
    maxAgeS: null,
    sharedMaxAgeS: null,
    minFreshS: null,
    maxStaleS: null,
    staleWhileRevalidateS: null,
    staleIfErrorS: null,
  };
  for (const [, name = '', quoted, token] of value.matchAll(DIRECTIVE)) {
    readDirective(read, name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? null);
  }
  return read;
}

function readDirective(read: CacheControl, name: string, value: string | null): void {
  if (name in NAMES) {
    read[NAMES[name as keyof typeof NAMES]] = true;
  } else if (name in TIMES) {
    const key = TIMES[name as keyof typeof TIMES];
    read[key] = Math.min(read[key] ?? LONGEST_S, secondsOf(value));
  } else if (name === 'max-stale') {
    read.maxStaleS = value === null ? Number.POSITIVE_INFINITY : secondsOf(value);
  } else if (name === 'no-cache') {
    const fields = fieldNames(value);
    if (fields.length === 0) read.noCache = true;
    read.noCacheFields = [...read.noCacheFields, ...fields];
  } else if (name === 'private') {
    const fields = fieldNames(value);
    if (fields.length === 0) read.private = true;
    read.privateFields = [...read.privateFields, ...fields];
  }
}

/** What is no number is taken for none: what cannot be read is stale (RFC 9111 section 4.2.1). */
function secondsOf(value: string | null): number {
  if (value === null || !/^\d+$/.test(value)) return 0;
  return Math.min(LONGEST_S, Number(value));
}

const fieldNames = (value: string | null): string[] =>
  (value ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((name) => name !== '');
