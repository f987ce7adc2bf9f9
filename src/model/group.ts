import { z } from 'zod';

/** How the instances of an environment are kept, as a release says it. */

const durationMs = z
  .int()
  .min(0)
  .max(7 * 86_400_000);

/**
 * Which instance goes first when there are too many, by criteria in turn: each narrows down what the
 * one before has left.
 *
 * zone            of the zone that has most
 * oldest-version  of the release that was made first
 * oldest, newest  by when they were started
 */
export const terminationCriteria = ['zone', 'oldest-version', 'oldest', 'newest'] as const;
export type TerminationCriterion = (typeof terminationCriteria)[number];

/**
 * Whose word counts when an instance is replaced because it is sick.
 *
 * process  only what has ended
 * edge     what fails its health check as well
 * deep     what says of something it depends on that it fails, as well
 */
export const replacementHealths = ['process', 'edge', 'deep'] as const;

/** What an instance waits for at a turn of its life, until somebody says `continue` or `abandon`. */
const waitSchema = z.strictObject({
  /** How long after its beginning, or the last heartbeat. */
  heartbeatMs: durationMs.min(1_000),
  /** What is taken when nobody says anything. */
  otherwise: z.enum(['continue', 'abandon']),
});
export type LifecycleWait = z.infer<typeof waitSchema>;

export const groupSchema = z.strictObject({
  terminate: z.array(z.enum(terminationCriteria)).min(1),
  /** Instances that are started and passed, without traffic, beyond those desired. */
  warm: z.int().min(0).max(1_000),
  /** Without a request for so long, nothing runs; null: never. Needs `min: 0`. */
  idleMs: durationMs.min(1_000).nullable(),
  replace: z.enum(replacementHealths),
  /** A check that fails so soon after the first pass replaces nobody. */
  graceMs: durationMs,
  /** Before it takes traffic, and, drained, before it is stopped; null: it does not wait. */
  launching: waitSchema.nullable(),
  terminating: waitSchema.nullable(),
});
export type Group = z.infer<typeof groupSchema>;

export const DEFAULT_GROUP: Group = {
  terminate: ['zone', 'oldest-version', 'oldest'],
  warm: 0,
  idleMs: null,
  replace: 'edge',
  graceMs: 0,
  launching: null,
  terminating: null,
};
