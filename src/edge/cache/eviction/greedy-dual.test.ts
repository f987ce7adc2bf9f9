import { expect, test } from 'vitest';
import { Entry } from './entry-list.ts';
import type { EvictionFactory } from './eviction.ts';
import { greedyDual } from './greedy-dual.ts';
import { lru } from './in-order.ts';

/** Asks for keys in turn. */
function cacheOf(policy: EvictionFactory, boundBytes: number) {
  const eviction = policy(boundBytes);
  const entries = new Map<string, Entry>();
  const has = (key: string): boolean => entries.has(key);
  return {
    has,
    ask(key: string, sizeBytes = 100): boolean {
      const entry = entries.get(key);
      if (entry !== undefined) {
        eviction.use(entry);
        return true;
      }
      const added = new Entry(key, null, sizeBytes);
      entries.set(key, added);
      for (const gone of eviction.add(added)) entries.delete(gone.key);
      return false;
    },
    remove(key: string): void {
      const entry = entries.get(key);
      if (entry !== undefined) eviction.remove(entry);
      entries.delete(key);
    },
  };
}

/** `count` of them, of which each is `name` and a number. */
const names = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}${i}`);

/** Half of the room is asked for between a hundred others each time that are never asked for again. */
function stayingIn(policy: EvictionFactory): number {
  const cache = cacheOf(policy, 10_000);
  const popular = names('popular', 50);
  for (let round = 0; round < 10; round += 1) {
    for (const key of popular) cache.ask(key);
    for (const key of names(`scanned ${round} `, 100)) cache.ask(key);
  }
  return popular.filter(cache.has).length;
}

test('lets a scan of ten times its room pass through', () => {
  expect(stayingIn(greedyDual)).toBe(50);
  expect(stayingIn(lru)).toBe(0);
});

test('lets what was popular go when something else is', () => {
  const cache = cacheOf(greedyDual, 10_000);
  const old = names('old', 100);
  for (let round = 0; round < 1_000; round += 1) for (const key of old) cache.ask(key);
  const now = names('now', 100);
  for (let round = 0; round < 12; round += 1) for (const key of now) cache.ask(key);
  expect(now.filter(cache.has)).toHaveLength(100);
});

test('rather has many small ones than a large one used as often', () => {
  const cache = cacheOf(greedyDual, 10_000);
  const small = names('small', 60);
  for (const key of small) cache.ask(key, 100);
  cache.ask('large', 8_000);
  expect(cache.has('large')).toBe(false);
  expect(small.filter(cache.has)).toEqual(small);
});

test('takes a large one in that is asked for much more often', () => {
  const cache = cacheOf(greedyDual, 10_000);
  for (const key of names('small', 60)) cache.ask(key, 100);
  for (let i = 0; i < 100; i += 1) cache.ask('large', 8_000);
  expect(cache.has('large')).toBe(true);
});

test('knows how often what comes back had been used', () => {
  const cache = cacheOf(greedyDual, 1_000);
  for (let i = 0; i < 5; i += 1) cache.ask('again');
  for (const key of names('scanned', 250)) cache.ask(key);
  expect(cache.has('again')).toBe(false);
  cache.ask('again');
  cache.ask('never before');
  for (const key of names('scanned more ', 30)) cache.ask(key);
  expect([cache.has('again'), cache.has('never before')]).toEqual([true, false]);
});

test('goes on when its level has gone round', () => {
  const cache = cacheOf(greedyDual, 1_000);
  const popular = names('popular', 4);
  // Each that goes raises the level by what it was worth: the smaller, the more.
  for (let i = 0; i < 20_000; i += 1) {
    cache.ask(`new${i}`, 1);
    for (const key of popular) cache.ask(key, 240);
  }
  expect(popular.filter(cache.has)).toEqual(popular);
});

test('holds nothing of what was taken out', () => {
  const cache = cacheOf(greedyDual, 1_000);
  for (const key of names('k', 10)) cache.ask(key);
  for (const key of names('k', 10)) cache.remove(key);
  const others = names('other', 10);
  for (const key of others) cache.ask(key);
  expect(others.filter(cache.has)).toEqual(others);
});
