import { describe, expect, it } from 'vitest';
import { megabytes, supervision } from './supervision.ts';

const MEGABYTE = 1024 * 1024;
const rules = { floodBytesPerSecond: 10 * MEGABYTE, strikes: 3, memoryBytes: 100 * MEGABYTE };

/** What was judged of samples a second apart: how much more log, and how much memory. */
function judged(samples: { logMegabytes?: number; memoryMegabytes?: number }[]) {
  const { judge } = supervision(rules);
  let logBytes = 0;
  return samples.map(({ logMegabytes = 0, memoryMegabytes = 0 }, second) => {
    logBytes += logMegabytes * MEGABYTE;
    return judge({ atMs: second * 1000, logBytes, rssBytes: memoryMegabytes * MEGABYTE });
  });
}

describe('supervision', () => {
  it('condemns what floods its log for as many samples as there are strikes', () => {
    const flood = { logMegabytes: 11 };
    expect(judged([{}, flood, flood, flood])).toEqual([
      ...[null, null, null],
      'wrote more than 10 MB of log a second',
    ]);
  });

  it('forgives a flood that ends in time', () => {
    const flood = { logMegabytes: 11 };
    expect(judged([{}, flood, flood, {}, flood, flood])).toEqual(Array(6).fill(null));
  });

  it('does not count a log that was there before as a flood', () => {
    expect(judged([{ logMegabytes: 5_000 }, {}, {}, {}])).toEqual(Array(4).fill(null));
  });

  it('allows exactly the rate and exactly the memory', () => {
    const edge = { logMegabytes: 10, memoryMegabytes: 100 };
    expect(judged([edge, edge, edge, edge, edge])).toEqual(Array(5).fill(null));
  });

  it('condemns what stays above its memory', () => {
    const over = { memoryMegabytes: 101 };
    expect(judged([over, over, over])).toEqual([
      ...[null, null],
      'used more memory than its limit of 100 MB',
    ]);
  });

  it('forgives memory that is given back', () => {
    const over = { memoryMegabytes: 101 };
    expect(judged([over, over, {}, over, over])).toEqual(Array(5).fill(null));
  });

  it('leaves memory to the kernel where it holds the limit', () => {
    const { judge } = supervision({ ...rules, memoryBytes: null });
    const verdicts = [0, 1, 2, 3].map((second) =>
      judge({ atMs: second * 1000, logBytes: 0, rssBytes: 1e12 }),
    );
    expect(verdicts).toEqual(Array(4).fill(null));
  });

  it('writes sizes as people read them', () => {
    expect(megabytes(1.26 * MEGABYTE)).toBe('1.3 MB');
    expect(megabytes(64 * MEGABYTE)).toBe('64 MB');
  });
});
