import { LONGEST_S } from '../../model/cache.ts';

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

/** What forbids, however it is said: with a value that nobody defined, it still does. */
const FORBIDDING = new Map([
  ['no-store', 'noStore'],
  ['must-revalidate', 'mustRevalidate'],
  ['proxy-revalidate', 'proxyRevalidate'],
  ['no-transform', 'noTransform'],
  ['only-if-cached', 'onlyIfCached'],
] as const);

/** What allows, and has to be said as it is defined. */
const ALLOWING = new Map([
  ['public', 'public'],
  ['must-understand', 'mustUnderstand'],
  ['immutable', 'immutable'],
] as const);

const TIMES = new Map([
  ['max-age', 'maxAgeS'],
  ['s-maxage', 'sharedMaxAgeS'],
  ['stale-while-revalidate', 'staleWhileRevalidateS'],
  ['stale-if-error', 'staleIfErrorS'],
] as const);

type Key<Names> = Names extends Map<infer Name, unknown> ? Name : never;

/** What stands between commas, those in quotes aside; a quote alone is one that has no end. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*")+|"/g;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const DIRECTIVE = new RegExp(`^(${TOKEN})(?:=(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN})))?$`);
const NAME = new RegExp(TOKEN);
/** Stands for a value that cannot be read. */
export const UNREADABLE = '';

export const noDirectives = (): CacheControl => ({
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
});

/** @param value of all Cache-Control lines, in order, with commas between them */
export function parseCacheControl(value: string): CacheControl {
  const read = noDirectives();
  for (const [element] of value.matchAll(ELEMENT)) {
    if (element === '"') {
      // Nobody knows what is meant from here on.
      read.noStore = true;
      return read;
    }
    const text = element.trim();
    const [, name, quoted, token] = DIRECTIVE.exec(text) ?? [
      null,
      NAME.exec(text)?.[0],
      UNREADABLE,
    ];
    if (name === undefined) continue;
    readDirective(read, name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? null);
  }
  return read;
}

/**
 * Reads one on top of those before it.
 *
 * @param name in lower case
 * @param value null where there is none
 */
export function readDirective(read: CacheControl, name: string, value: string | null): void {
  const forbidding = FORBIDDING.get(name as Key<typeof FORBIDDING>);
  const allowing = ALLOWING.get(name as Key<typeof ALLOWING>);
  const time = TIMES.get(name as Key<typeof TIMES>);
  if (forbidding !== undefined) read[forbidding] = true;
  else if (allowing !== undefined) read[allowing] ||= value === null;
  else if (time !== undefined) read[time] = oneTime(read[time], secondsOf(value));
  else if (name === 'min-fresh') read.minFreshS = Math.max(read.minFreshS ?? 0, secondsOf(value));
  else if (name === 'max-stale') {
    const seconds = value === null ? Number.POSITIVE_INFINITY : secondsOf(value);
    read.maxStaleS = Math.min(read.maxStaleS ?? seconds, seconds);
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

/** Of two that differ nobody knows which is meant: it is stale (RFC 9111 section 4.2.1). */
const oneTime = (before: number | null, seconds: number): number =>
  before === null || before === seconds ? seconds : 0;

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
