import type { Duration } from './spec.ts';

/** What users write of the edge's cache. */

/**
 * `true`: what the app allows is kept, for as long as it says. Rules by path say otherwise: the first
 * whose path matches counts; `*` stands for any characters, and paths no rule names are as under
 * `true`. `false`: nothing is kept.
 */
export type CacheSpec = boolean | Record<string, CacheRuleSpec>;

/**
 * Of one path: a time for which is kept what the app says nothing about, `true` for what the app says
 * alone, `false` for never, or more.
 *
 * Whoever gives a time, or a least one, says with it that the answers there are the same for everybody: cookies that
 * the key does not name do not reach the app.
 */
export type CacheRuleSpec = boolean | Duration | CacheRuleOptions;

export interface CacheRuleOptions {
  /** For how long: where the app does not say, or between which bounds. */
  ttl?: Duration | CacheTtlSpec;
  /** What tells answers apart, beside host, path and what the app names in Vary. */
  key?: CacheKeySpec;
  /** What may be answered although its time is over, where the app does not say. */
  stale?: CacheStaleSpec;
  /**
   * How long 404, 405, 410, 414 and 5xx are kept where the app does not say. Default `false`, not at
   * all.
   */
  errors?: false | Duration;
  /**
   * Where the app names neither a time nor the contrary: for a tenth of the time since Last-Modified,
   * at most a day. Default `false`.
   */
  heuristics?: boolean;
  /** Names to purge by, beside those the app sends in Cache-Tag. */
  tags?: string[];
}

/** In whole seconds, at most `'365d'`. */
export interface CacheTtlSpec {
  /** What the app says is not taken for shorter. Default `'0s'`. */
  min?: Duration;
  /** What the app says nothing about is kept so long. Default: it is not kept. */
  default?: Duration;
  /** What the app says is not taken for longer. Default `'365d'`. */
  max?: Duration;
}

export interface CacheKeySpec {
  /**
   * The parameters that count; a name may end with `*`. The others do not reach the app. Default
   * `'all'`.
   */
  query?: 'all' | 'none' | string[] | { except: string[] };
  /** Fields of a request that count. Default: those in the app's Vary. */
  headers?: string[];
  /** Cookies that count; the others do not reach the app. */
  cookies?: string[];
}

export interface CacheStaleSpec {
  /** So long, while the app is asked in the background. Default `false`. */
  whileRevalidate?: false | Duration;
  /** So long, where the app fails or cannot be reached. Default `'1d'`. */
  ifError?: false | Duration;
}
