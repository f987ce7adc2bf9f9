import { describe, expect, it } from 'vitest';
import {
  type CachePurges,
  EVERYTHING,
  MOST_CACHE_PURGES,
  NO_CACHE_PURGES,
  withPurge,
} from './cache-purges.ts';

const path = (value: string) => ({ kind: 'path' as const, value });

const purged = (...purges: Parameters<typeof withPurge>[1][]): CachePurges =>
  purges.reduce(withPurge, NO_CACHE_PURGES);

describe('purges on record', () => {
  it('are numbered in their order', () => {
    expect(purged(path('/a'), { kind: 'tag', value: 'news' })).toEqual({
      last: 2,
      upTo: 0,
      list: [
        { number: 1, kind: 'path', value: '/a' },
        { number: 2, kind: 'tag', value: 'news' },
      ],
    });
  });

  it('become one when everything is purged, and number on', () => {
    const all = purged(path('/a'), EVERYTHING);
    expect(all).toEqual({ last: 2, upTo: 2, list: [] });
    expect(withPurge(all, path('/b'))).toEqual({
      last: 3,
      upTo: 2,
      list: [{ number: 3, kind: 'path', value: '/b' }],
    });
  });

  it('are on the list once when the same is purged again', () => {
    const prefix = { kind: 'prefix' as const, value: '/a' };
    expect(purged(path('/a'), prefix, path('/a')).list.map(({ number }) => number)).toEqual([2, 3]);
  });

  it('become a purge of everything when they are older than the list is long', () => {
    const purges = purged(
      ...Array.from({ length: MOST_CACHE_PURGES + 5 }, (_, n) => path(`/${n}`)),
    );
    expect(purges).toMatchObject({ last: MOST_CACHE_PURGES + 5, upTo: 5 });
    expect(purges.list).toHaveLength(MOST_CACHE_PURGES);
    expect(purges.list[0]).toEqual({ number: 6, kind: 'path', value: '/5' });
  });
});
