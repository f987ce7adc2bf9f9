import { statfsSync } from 'node:fs';

/**
 * What others are left of the disk: of a large one two gigabytes, of a small one a tenth. That is twice
 * of what deployments leave, so that none is refused because of what can be fetched again.
 */
const LEAST_FREE = { sizeBytes: 2_000_000_000, share: 0.1 };

export interface Room {
  freeBytes: number;
  /** So much is to be left to others. */
  leastBytes: number;
}

/** On the disk of a directory; null where it cannot be told. */
export function roomIn(directory: string): Room | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory);
    const leastBytes = Math.min(LEAST_FREE.sizeBytes, LEAST_FREE.share * blocks * bsize);
    return { freeBytes: bavail * bsize, leastBytes };
  } catch {
    return null;
  }
}
