import { describe, expect, it } from 'vitest';
import { floorBytes, missingRoom, roomFor } from './disk-floor.ts';

const GB = 1_000_000_000;

describe('the disk floor', () => {
  it.each([
    ['a gigabyte of a large disk', null, 500 * GB, GB],
    ['a twentieth of a small one', null, 10 * GB, GB / 2],
    ['so many bytes', { unit: 'bytes', amount: 7 }, 10 * GB, 7],
    ['a share', { unit: 'percent', amount: 20 }, 10 * GB, 2 * GB],
    ['nothing', { unit: 'bytes', amount: 0 }, 10 * GB, 0],
  ] as const)('is %s', (_, floor, totalBytes, expected) => {
    expect(floorBytes(floor, totalBytes)).toBe(expected);
  });

  it('says what is missing, counting a block for every file', () => {
    const room = { freeBytes: 3 * GB, totalBytes: 100 * GB };
    const neededBytes = roomFor({ files: 1_000, sizeBytes: GB });
    expect(neededBytes).toBe(GB + 4_096_000);
    expect(missingRoom(null, room, neededBytes)).toBe(0);
    expect(missingRoom(null, { ...room, freeBytes: 2 * GB }, neededBytes)).toBe(4_096_000);
  });
});
