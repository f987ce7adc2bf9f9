import { z } from 'zod';
import type { Version } from './version.ts';

/** How long versions of an application stay on the disk, as Beanstalk's version lifecycle has it. */

const DAY_MS = 86_400_000;

/** Beanstalk's most. */
export const MAX_KEPT_VERSIONS = 1_000;
export const LEAST_AGE_MS = DAY_MS;
export const MAX_AGE_MS = 3_650 * DAY_MS;

export const lifecycleSchema = z.strictObject({
  /** The newest so many, by when each was last deployed. */
  keep: z.int().min(1).max(MAX_KEPT_VERSIONS),
  /** Without those that were deployed longer ago; null: whatever their age. */
  maxAgeMs: z.int().min(LEAST_AGE_MS).max(MAX_AGE_MS).nullable(),
});
export type Lifecycle = z.infer<typeof lifecycleSchema>;

/** Beanstalk keeps all until it is told otherwise, up to 1,000; a disk of one's own is smaller. */
export const DEFAULT_LIFECYCLE: Lifecycle = { keep: 20, maxAgeMs: null };

/**
 * kept  its files are on the disk, and stay
 * due   its files are on the disk until versions are pruned next
 * gone  its files are not on the disk: to deploy it, it has to be sent again
 */
export interface VersionFate {
  state: 'kept' | 'due' | 'gone';
  /** Why it is kept, or will go, in phrases; none for what is gone. */
  reasons: string[];
}

/** A version as people see it. The names of these fields are an interface. */
export interface VersionView extends Version {
  /** Environments by name. */
  runningIn: string[];
  /** What becomes of its files. */
  fate: VersionFate;
  /** What was built from it takes so much room; null while it was not measured. */
  imageBytes: number | null;
}

/** What pruning removed, or would remove. */
export interface Pruning {
  /** Nothing was removed: somebody only wanted to know. */
  dryRun: boolean;
  removed: {
    application: string;
    label: string;
    /** With what was built from it. */
    sizeBytes: number;
    reason: string;
  }[];
  freedBytes: number;
}
