import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Entry } from './entry-list.ts';
import type { Eviction, EvictionFactory } from './eviction.ts';
import { greedyDual } from './greedy-dual.ts';
import { fifo, lru } from './in-order.ts';
import { lfu } from './lfu.ts';

/** What holds for every policy. */

const policies: Record<string, EvictionFactory> = { fifo, lru, lfu, greedyDual };
const MOST_BYTES = 1_000;

/** What an eviction says goes is gone. */
class Held {
  readonly eviction: Eviction;
  readonly entries = new Map<string, Entry>();
  boundBytes: number;

  constructor(policy: EvictionFactory, boundBytes: number) {
    this.eviction = policy(boundBytes);
    this.boundBytes = boundBytes;
  }

  /** Asks for it; keeps it if it was not there. */
  ask(key: string, sizeBytes: number): boolean {
    const held = this.entries.get(key);
    if (held !== undefined) {
      this.eviction.use(held);
      return true;
    }
    const entry = new Entry(key, null, sizeBytes);
    this.entries.set(key, entry);
    this.letGo(this.eviction.add(entry));
    return false;
  }

  letGo(gone: readonly Entry[]): void {
    for (const entry of gone) {
      expect(this.entries.get(entry.key)).toBe(entry);
      this.entries.delete(entry.key);
    }
  }

  get keys(): string[] {
    return [...this.entries.keys()];
  }
}

type Step =
  | { do: 'ask'; key: number; sizeBytes: number }
  | { do: 'remove'; key: number }
  | { do: 'resize'; key: number; sizeBytes: number }
  | { do: 'bound'; boundBytes: number };

const key = fc.integer({ min: 0, max: 40 });
const sizeBytes = fc.integer({ min: 1, max: MOST_BYTES });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant('ask' as const), key, sizeBytes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resize' as const), key, sizeBytes }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('bound' as const),
      boundBytes: fc.integer({ min: 0, max: 10_000 }),
    }),
  },
);

function take(held: Held, step: Step): void {
  if (step.do === 'bound') {
    held.boundBytes = step.boundBytes;
    held.letGo(held.eviction.setBound(step.boundBytes));
    return;
  }
  const name = `k${step.key}`;
  const entry = held.entries.get(name);
  if (step.do === 'ask') {
    held.ask(name, step.sizeBytes);
  } else if (entry !== undefined && step.do === 'resize') {
    held.letGo(held.eviction.resize(entry, step.sizeBytes));
  } else if (entry !== undefined) {
    held.eviction.remove(entry);
    held.entries.delete(name);
  }
}

describe.each(Object.entries(policies))('%s', (_, policy) => {
  test('holds what it was given and did not say goes, and never more than its bound', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const held = new Held(policy, 5_000);
        for (const each of steps) {
          take(held, each);
          const heldBytes = [...held.entries.values()].reduce((sum, e) => sum + e.sizeBytes, 0);
          expect(held.eviction.sizeBytes).toBe(heldBytes);
          expect(heldBytes).toBeLessThanOrEqual(held.boundBytes);
        }
      }),
    );
  });

  test('refuses what is larger than its bound, and lets nothing go for it', () => {
    const held = new Held(policy, 1_000);
    held.ask('small', 10);
    held.ask('huge', 1_001);
    expect(held.keys).toEqual(['small']);
  });

  test('lets nothing go while there is room', () => {
    const held = new Held(policy, 1_000);
    for (let i = 0; i < 10; i += 1) held.ask(`k${i}`, 100);
    expect(held.keys).toHaveLength(10);
  });
});

describe('order', () => {
  /** Room for three; the fourth makes one go. */
  const leftOf = (policy: EvictionFactory, ...asked: string[]): string[] => {
    const held = new Held(policy, 300);
    for (const key of [...asked, 'new']) held.ask(key, 100);
    return held.keys.sort();
  };

  test('FIFO: who came first goes, though it is used', () => {
    expect(leftOf(fifo, 'a', 'b', 'c', 'a', 'a')).toEqual(['b', 'c', 'new']);
  });

  test('LRU: who was not used for longest goes', () => {
    expect(leftOf(lru, 'a', 'b', 'c', 'a')).toEqual(['a', 'c', 'new']);
  });

  test('LFU: who was used least goes, of several the one not used for longest', () => {
    expect(leftOf(lfu, 'a', 'a', 'b', 'c', 'c', 'b', 'b')).toEqual(['b', 'c', 'new']);
  });
});
