import { describe, expect, it } from 'vitest';
import { NOTHING_REMEMBERED, type ScalingRecord } from '../model/scaling-decision.ts';
import type { Store } from './driver.ts';
import { openSqliteStore } from './sqlite.ts';

const KEY = 'shop/production';
const OTHER = 'shop/staging';

const recordOf = (at: number): ScalingRecord => ({
  at,
  since: at,
  count: 1,
  from: 2,
  to: 2,
  min: 1,
  max: 4,
  reason: 'stays at 2',
  opinions: [],
  capacity: { min: 1, desired: 2, max: 4 },
  fleet: { inService: 2, healthy: 2, starting: 0, isProtected: 0 },
  measured: null,
  bootMs: 300,
  deploying: false,
});

function withStore(work: (store: Store) => void): void {
  const store = openSqliteStore(':memory:');
  try {
    work(store);
  } finally {
    store.close();
  }
}

describe('decisions on record', () => {
  it('come newest first, and the last can be told again', () => {
    withStore((store) => {
      store.addScalingRecord(KEY, recordOf(1));
      const id = store.addScalingRecord(KEY, recordOf(2));
      store.addScalingRecord(OTHER, recordOf(3));
      store.saveScalingRecord(id, { ...recordOf(9), since: 2, count: 4 });
      expect(store.scalingRecords(KEY, 10)).toEqual([
        { ...recordOf(9), since: 2, count: 4 },
        recordOf(1),
      ]);
      expect(store.scalingRecords(KEY, 1)).toHaveLength(1);
    });
  });

  it('are dropped when they are old, by when they last held', () => {
    withStore((store) => {
      const id = store.addScalingRecord(KEY, recordOf(1));
      store.addScalingRecord(KEY, recordOf(2));
      store.saveScalingRecord(id, { ...recordOf(8), since: 1 });
      store.forgetBefore(5);
      expect(store.scalingRecords(KEY, 10).map(({ at }) => at)).toEqual([8]);
    });
  });

  it('are bounded for each environment, however often it changes its mind', () => {
    withStore((store) => {
      store.transaction(() => {
        store.addScalingRecord(OTHER, recordOf(1));
        for (let at = 1; at <= 10_400; at += 1) store.addScalingRecord(KEY, recordOf(at));
      });
      const kept = store.scalingRecords(KEY, 20_000);
      expect(kept.length).toBeLessThanOrEqual(10_100);
      expect(kept[0]?.at).toBe(10_400);
      expect(store.scalingRecords(OTHER, 10)).toHaveLength(1);
    });
  });
});

describe('what is remembered', () => {
  it('is that of its own environment, and nothing before the first decision', () => {
    withStore((store) => {
      const memory = { ...NOTHING_REMEMBERED, wanted: [{ at: 1, instances: 3 }], lastOutAt: 1 };
      expect(store.scalingMemory(KEY)).toBeNull();
      store.saveScalingMemory(KEY, NOTHING_REMEMBERED);
      store.saveScalingMemory(KEY, memory);
      expect(store.scalingMemory(KEY)).toEqual(memory);
      expect(store.scalingMemory(OTHER)).toBeNull();
    });
  });
});
