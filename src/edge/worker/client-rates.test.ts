import { describe, expect, it } from 'vitest';
import { ClientRates } from './client-rates.ts';

const SHOP = 'shop/production';
const RATE = { requestsPerSecond: 2, burst: 3 };

/** What each of so many requests at once is told. */
const take = (rates: ClientRates, count: number, nowMs: number, client = 'a', rate = RATE) =>
  Array.from({ length: count }, () => rates.take(SHOP, client, rate, nowMs));

describe('the rate of a client', () => {
  it('lets a burst through, then as many as the rate, and says when the next may come', () => {
    const rates = new ClientRates();
    expect(take(rates, 5, 1_000)).toEqual([0, 0, 0, 1, 1]);
    expect(take(rates, 2, 1_500)).toEqual([0, 1]);
    expect(take(rates, 1, 1_999)).toEqual([1]);
    expect(take(rates, 1, 2_000)).toEqual([0]);
    // Never more than the burst, however long nothing came.
    expect(take(rates, 4, 100_000)).toEqual([0, 0, 0, 1]);
  });

  it('is not made worse by asking too early', () => {
    const rates = new ClientRates();
    take(rates, 1_000, 0);
    expect(take(rates, 2, 500)).toEqual([0, 1]);
  });

  it.each([1, 3, 7, 1_000, 0.3])(
    'lets the whole burst through at %d a second',
    (requestsPerSecond) => {
      const rates = new ClientRates();
      const rate = { requestsPerSecond, burst: 10 };
      const told = take(rates, 11, 12_345.678, 'a', rate);
      expect(told.slice(0, 10)).toEqual(Array(10).fill(0));
      expect(told[10]).toBe(Math.max(1, Math.ceil(1 / requestsPerSecond)));
    },
  );

  it('is each client’s and each environment’s own', () => {
    const rates = new ClientRates();
    expect(take(rates, 4, 0, 'a')).toEqual([0, 0, 0, 1]);
    expect(take(rates, 3, 0, 'b')).toEqual([0, 0, 0]);
    expect(rates.take('shop/staging', 'a', RATE, 0)).toBe(0);
  });

  it('waits no longer than a token takes at the new rate, when the rate changes', () => {
    const rates = new ClientRates();
    const slow = { requestsPerSecond: 0.01, burst: 3 };
    expect(take(rates, 4, 0, 'a', slow)).toEqual([0, 0, 0, 100]);
    expect(take(rates, 1, 500)).toEqual([1]);
    expect(take(rates, 1, 1_000)).toEqual([0]);
  });

  it('is forgotten when the bucket is full again, and not before', () => {
    const rates = new ClientRates();
    take(rates, 3, 0);
    for (let nowMs = 0; nowMs < 1_500; nowMs += 250) rates.sweep(nowMs);
    expect(take(rates, 4, 1_000)).toEqual([0, 0, 1, 1]);
    for (let nowMs = 1_000; nowMs <= 3_000; nowMs += 250) rates.sweep(nowMs);
    expect(rates.size).toBe(0);
  });

  it('is kept of a bounded number of clients, those heard of last', () => {
    const rates = new ClientRates();
    take(rates, 3, 0, 'regular');
    let most = 0;
    for (let i = 0; i < 100_000; i += 1) {
      rates.take(SHOP, `stranger-${i}`, RATE, 0);
      if (i % 10_000 === 0) expect(take(rates, 1, 0, 'regular')).toEqual([1]);
      most = Math.max(most, rates.size);
    }
    expect(most).toBeLessThanOrEqual(65_536);
    expect(take(rates, 1, 0, 'regular')).toEqual([1]);
    expect(take(rates, 1, 0, 'stranger-0')).toEqual([0]);
  });
});
