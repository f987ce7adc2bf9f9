import { describe, expect, test } from 'vitest';
import { churn } from '../bench/cache-eviction/churn.ts';

const MIB = 1024 * 1024;

/** What `node bench/cache-eviction.ts --churn` prints, held to its bound. */
function expectWithin(share: number, options: Parameters<typeof churn>[0]): void {
  const { boundBytes, mostAccountedBytes, takenBytes } = churn(options);
  expect(mostAccountedBytes).toBeLessThanOrEqual(boundBytes);
  expect(Math.abs(takenBytes / boundBytes - 1)).toBeLessThan(share);
}

const smallOnes = (boundBytes: number, responses: number) => ({
  ...{ boundBytes, responses },
  bodyBytes: 200,
  hit: true,
});

test('what is kept takes what the bound says', () => {
  expectWithin(0.05, smallOnes(16 * MIB, 40_000));
});

describe.skipIf(!process.env.BELAY_NIGHTLY)('over a long time, and of other sizes', () => {
  test('five million small responses take what the bound says', { timeout: 600_000 }, () => {
    expectWithin(0.05, smallOnes(64 * MIB, 5_000_000));
  });

  test.each([1_000, 4_096, 16_384])('so do responses of %d bytes', (bodyBytes) => {
    expectWithin(0.05, { ...smallOnes(64 * MIB, 100_000), bodyBytes });
  });
});
