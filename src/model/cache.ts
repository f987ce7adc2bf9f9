import { z } from 'zod';

/**
 * How the edge keeps answers of one environment for everybody (RFC 9111, a shared cache). Times in
 * whole seconds, as in HTTP.
 */

/** RFC 9111 section 1.2.2: what is longer is taken for this. */
export const LONGEST_S = 2 ** 31;
const seconds = z.int().min(0).max(LONGEST_S);

/** `only` these, or all but these (`except`); `except` nothing is all of them. */
export const namesSchema = z.strictObject({
  mode: z.enum(['only', 'except']),
  names: z.array(z.string()),
});
export type Names = z.infer<typeof namesSchema>;

/** The behaviour of some paths. */
export const cacheRuleSchema = z.strictObject({
  /** Of a path without its query: `/a`, `/a/*`, `/*.css`; `*` stands for any characters. */
  path: z.string().startsWith('/'),
  /** Neither kept nor answered from what is kept. */
  bypass: z.boolean(),
  /** A lifetime told by the app is not taken for shorter, ... */
  leastS: seconds,
  /** ... and, where it tells none, is this; null: nothing is kept then. */
  otherwiseS: seconds.nullable(),
  /** ... nor for longer. */
  mostS: seconds,
  /** Where it tells none, a tenth of the time since Last-Modified. */
  heuristics: z.boolean(),
  /** For 404, 405, 410, 414 and 5xx about which the app tells none; null: they are not kept. */
  errorS: seconds.nullable(),
  /** Where the app says nothing of it. */
  staleWhileRevalidateS: seconds,
  /** Where the app says nothing of it. */
  staleIfErrorS: seconds,
  /** What of a query tells answers apart; the rest of it does not reach the app. */
  query: namesSchema,
  /** Header fields that do beside those the app names in Vary, in lower case. */
  headers: z.array(z.string()),
  /** Cookies that do. */
  cookies: z.array(z.string()),
  /** To purge by, beside those the app names in Cache-Tag. */
  tags: z.array(z.string()),
});
export type CacheRule = z.infer<typeof cacheRuleSchema>;

export const cachePolicySchema = z.strictObject({
  /** The first whose path matches counts. */
  rules: z.array(cacheRuleSchema),
  /**
   * What a change of the version that takes the traffic does to what is kept. `switch`: each version
   * has its own, and a rollback finds it again; `purge`: it is gone; `keep`: it stays.
   */
  onDeploy: z.enum(['switch', 'purge', 'keep']),
  /** What is kept goes out compressed to who takes it so; left out: as the app sent it. */
  compress: z.boolean().optional(),
});
export type CachePolicy = z.infer<typeof cachePolicySchema>;

/** What is not to be used any more. */
export const purgeSchema = z.strictObject({
  /** Counts up over the life of the environment: what was asked for before it has it in force. */
  number: z.int().min(1),
  /** `path` and `prefix` begin with `/`; a path with no `?` stands for any query behind it. */
  kind: z.enum(['everything', 'path', 'prefix', 'tag']),
  /** Empty for everything. */
  value: z.string(),
});
export type Purge = z.infer<typeof purgeSchema>;

/** The cache of one environment as the edge is told of it. */
export const routedCacheSchema = z.strictObject({
  rules: z.array(cacheRuleSchema),
  /** Answers are kept for, and taken from, this release alone; null: for all. */
  release: z.int().nullable(),
  /** What was asked for before this one is not used; 0 for none. */
  purgedUpTo: z.int().min(0),
  /** Those after it, in order of their numbers. */
  purges: z.array(purgeSchema),
  /** What is kept goes out compressed to who takes it so. */
  compress: z.boolean().optional(),
});
export type RoutedCache = z.infer<typeof routedCacheSchema>;

/**
 * What the edge has done for the apps of one environment; cumulative. A client's request that gets an
 * answer through the cache is in one of the first five.
 */
export const cacheCounters = [
  /** Answered from what is kept, fresh. */
  'hits',
  /** Answered from what is kept, stale. */
  'stale',
  /** Of requests for the same, those that waited for one of them. */
  'collapsed',
  /** Answered by the app, and kept; or kept before, and confirmed by it. */
  'stored',
  /** Answered by the app, and not kept. */
  'passed',
  /** Requests of the cache's own, beside those of clients: what was stale was asked about. */
  'refreshes',
  /** Of bodies that did not come from the app. */
  'savedBytes',
  /** Of bodies that did, kept or not. */
  'appBytes',
] as const;
export type CacheCounts = Record<(typeof cacheCounters)[number], number>;

/** Counts of earlier versions may lack what these did not count. */
export function addCacheCounts(a: CacheCounts, b: Partial<CacheCounts>): CacheCounts {
  const counts = noCacheCounts();
  for (const counter of cacheCounters) counts[counter] = a[counter] + (b[counter] ?? 0);
  return counts;
}

export const noCacheCounts = (): CacheCounts => ({
  hits: 0,
  stale: 0,
  collapsed: 0,
  stored: 0,
  passed: 0,
  refreshes: 0,
  savedBytes: 0,
  appBytes: 0,
});

/** How many responses are kept in one place, and the bytes they take there. */
export interface CacheRoom {
  /** Null: nobody counts them. */
  count: number | null;
  sizeBytes: number;
}

/** For paths that no rule names: honour the app, and keep nothing it did not allow. */
export const HONOUR_THE_APP: CacheRule = {
  path: '/*',
  bypass: false,
  leastS: 0,
  otherwiseS: null,
  mostS: 365 * 86_400, // CloudFront's maximum
  heuristics: false,
  errorS: null,
  staleWhileRevalidateS: 0,
  staleIfErrorS: 86_400,
  query: { mode: 'except', names: [] },
  headers: [],
  cookies: [],
  tags: [],
};
