import { describe, expect, it } from 'vitest';
import { backoffOf } from './backoff.ts';
import type { Failure } from './observation.ts';

const NOW = 1_000_000;

/** One that was launched and died so long ago, in milliseconds. */
const death = (launchedAgo: number, diedAgo: number, served: number | null = null): Failure => ({
  instance: `i-${launchedAgo}`,
  release: 1,
  launchedAt: NOW - launchedAgo,
  at: NOW - diedAgo,
  servedMs: served,
  cause: 'exited with code 7',
});

describe('a release whose instances die young', () => {
  it('is launched again at once after the first death, and then later each time', () => {
    const one = [death(500, 400)];
    expect(backoffOf(one, 1, NOW).until).toBeNull();
    const two = [...one, death(400, 300)];
    expect(backoffOf(two, 1, NOW).until).toBe(NOW - 300 + 1_000);
    const three = [...two, death(200, 100)];
    expect(backoffOf(three, 1, NOW)).toMatchObject({
      until: NOW - 100 + 2_000,
      crashLooping: true,
    });
  });

  it('waits for a minute at most', () => {
    const many = Array.from({ length: 20 }, (_, each) =>
      death(2_000 - 50 * each, 1_990 - 50 * each),
    );
    expect(backoffOf(many, 1, NOW).until).toBe(NOW - 1_040 + 60_000);
  });

  it('has had one try, however many die at a time', () => {
    const zone = [death(5_000, 100, 4_000), death(5_000, 99, 4_000), death(4_500, 98, 4_000)];
    expect(backoffOf(zone, 1, NOW)).toEqual({
      failures: 3,
      crashLooping: false,
      until: null,
      lastCause: 'exited with code 7',
    });
    const again = [...zone, death(97, 20), death(96, 10)];
    expect(backoffOf(again, 1, NOW)).toMatchObject({
      until: NOW - 20 + 1_000,
      crashLooping: false,
    });
  });

  it('is not one whose instances served for long, died long ago or are of another release', () => {
    const others = [
      death(60_000, 300, 20_000),
      death(3_600_000, 3_500_000),
      { ...death(200, 100), release: 2 },
    ];
    expect(backoffOf(others, 1, NOW)).toMatchObject({ failures: 0, until: null, lastCause: null });
  });
});
