import type { Purge } from './cache.ts';

/** What of an environment's kept answers is not to be used any more, over its whole life. */
export interface CachePurges {
  /** Of the newest; 0: there was none. */
  last: number;
  /** What was asked for before this one is not used. */
  upTo: number;
  /** Those after it, in order of their numbers. */
  list: readonly Purge[];
}

export const NO_CACHE_PURGES: CachePurges = { last: 0, upTo: 0, list: [] };

/** What a purge of all that is kept is asked for with. */
export const EVERYTHING: Omit<Purge, 'number'> = { kind: 'everything', value: '' };

/** What is kept is compared with each of them once; older ones become one of everything. */
export const MOST_CACHE_PURGES = 1_000;

/** With one more: it takes the place of those it covers, and of the oldest beyond the most there are. */
export function withPurge(
  { last, upTo, list }: CachePurges,
  { kind, value }: Omit<Purge, 'number'>,
): CachePurges {
  const number = last + 1;
  if (kind === 'everything') return { last: number, upTo: number, list: [] };
  const others = list.filter((purge) => purge.kind !== kind || purge.value !== value);
  const all = [...others, { number, kind, value }];
  const folded = all.slice(0, -MOST_CACHE_PURGES);
  return {
    last: number,
    upTo: folded.at(-1)?.number ?? upTo,
    list: all.slice(-MOST_CACHE_PURGES),
  };
}
