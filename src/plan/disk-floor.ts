import type { DiskFloor } from '../model/disk-floor.ts';

const GB = 1_000_000_000;

/** A large disk has a gigabyte left when it is as good as full, a small one its twentieth. */
const DEFAULT_FLOOR = { sizeBytes: GB, percent: 5 };
/** What a file takes beyond its content: its last block, and its entry. */
const BYTES_PER_FILE = 4_096;

interface Room {
  freeBytes: number;
  totalBytes: number;
}

/** The room that a version needs on the disk. */
export const roomFor = (version: { files: number; sizeBytes: number }): number =>
  version.sizeBytes + version.files * BYTES_PER_FILE;

/** The room that deployments have to leave. */
export function floorBytes(floor: DiskFloor | null, totalBytes: number): number {
  const share = (percent: number): number => Math.floor((totalBytes * percent) / 100);
  if (floor === null) return Math.min(DEFAULT_FLOOR.sizeBytes, share(DEFAULT_FLOOR.percent));
  return floor.unit === 'bytes' ? floor.amount : share(floor.amount);
}

/** What is missing for it to fit above the floor; 0 when nothing is. */
export function missingRoom(floor: DiskFloor | null, room: Room, neededBytes: number): number {
  return Math.max(0, neededBytes + floorBytes(floor, room.totalBytes) - room.freeBytes);
}
