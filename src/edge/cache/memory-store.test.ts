import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EvictionFactory } from './eviction/eviction.ts';
import { greedyDual } from './eviction/greedy-dual.ts';
import { fifo, lru } from './eviction/in-order.ts';
import { lfu } from './eviction/lfu.ts';
import { MemoryStore } from './memory-store.ts';

const policies: Record<string, EvictionFactory> = { fifo, lru, lfu, greedyDual };

type Step =
  | { do: 'put' | 'resized'; key: string; sizeBytes: number }
  | { do: 'get' | 'peek' | 'delete'; key: string }
  | { do: 'setBound'; boundBytes: number }
  | { do: 'clear' };

const key = fc.integer({ min: 0, max: 60 }).map((number) => `/page/${number}`);
const sizeBytes = fc.integer({ min: 0, max: 4_000 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), key, sizeBytes }) },
    { weight: 10, arbitrary: fc.record({ do: fc.constantFrom('get', 'peek'), key }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('resized' as const), key, sizeBytes }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('setBound' as const),
        boundBytes: fc.integer({ min: 20_000, max: 60_000 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  ),
  { maxLength: 200 },
);

describe.each(Object.entries(policies))('with %s', (_, eviction) => {
  test('has the last that was put, or nothing, and is within its bound', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const store = new MemoryStore<number>({ boundBytes: 40_000, eviction });
        const held = new Map<string, number>();
        let boundBytes = 40_000;
        for (const [at, step] of all.entries()) {
          if (step.do === 'setBound') boundBytes = step.boundBytes;
          take(store, held, step, at);
          expect(store.sizeBytes).toBeLessThanOrEqual(boundBytes);
          for (const [kept, value] of held) {
            if (store.peek(kept) === null) held.delete(kept);
            else expect(store.peek(kept)).toBe(value);
          }
          expect(store.count).toBe(held.size);
        }
      }),
    );
  });
});

/** Does the same to the store and to what it should have. */
function take(store: MemoryStore<number>, held: Map<string, number>, step: Step, at: number): void {
  switch (step.do) {
    case 'put':
      held.set(step.key, at);
      if (!store.put(step.key, at, step.sizeBytes)) held.delete(step.key);
      return;
    case 'resized':
      expect(store.resized(step.key, step.sizeBytes)).toBe(store.peek(step.key) !== null);
      return;
    case 'get':
    case 'peek':
      expect(store[step.do](step.key)).toBe(held.get(step.key) ?? null);
      return;
    case 'delete':
      expect(store.delete(step.key)).toBe(held.delete(step.key));
      return;
    case 'setBound':
      store.setBound(step.boundBytes);
      return;
    case 'clear':
      held.clear();
      store.clear();
  }
}

test('refuses what is larger than it, and has nothing under the key then', () => {
  const store = new MemoryStore<string>({ boundBytes: 50_000 });
  expect(store.put('/a', 'small', 100)).toBe(true);
  expect(store.put('/a', 'large', 60_000)).toBe(false);
  expect(store.get('/a')).toBeNull();
  expect(store.put('/b', 'large', 60_000)).toBe(false);
  expect(store.count).toBe(0);
});

test('keeps what fits when its bound becomes less', () => {
  const store = new MemoryStore<number>({ boundBytes: 8_000_000 });
  for (let i = 0; i < 20_000; i += 1) store.put(`/${i}`, i, 200);
  store.setBound(1_000_000);
  expect(store.sizeBytes).toBeGreaterThan(800_000);
  expect(store.sizeBytes).toBeLessThanOrEqual(1_000_000);
});

test('counts what it is asked for as a use, and not what is looked at', () => {
  const store = new MemoryStore<number>({ boundBytes: 10_000, eviction: lru });
  for (const key of ['/got', '/looked-at', '/neither']) store.put(key, 1, 2_500);
  store.get('/got');
  store.peek('/looked-at');
  store.put('/new', 1, 2_500);
  expect(store.peek('/got')).not.toBeNull();
  expect(store.peek('/looked-at')).toBeNull();
});

test('finds keys of characters beyond one byte', () => {
  const store = new MemoryStore<number>({ boundBytes: 10_000 });
  store.put('/\u20ac', 1, 10);
  expect(store.get('/\u20ac')).toBe(1);
  expect(store.get('/\u00ac')).toBeNull();
});
