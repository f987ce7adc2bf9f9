import type { Failure } from './observation.ts';

/**
 * When a release keeps dying young, launching it again at once helps nobody. The first replacement
 * is immediate; from the second on the wait doubles. Deaths after a long service are bad luck, not
 * a crash loop, and are replaced at once.
 */

/** An instance that served this long and then died does not count towards a crash loop. */
const YOUNG_MS = 10_000;
const WINDOW_MS = 10 * 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** So many young deaths in the window make it a crash loop that is worth telling a person. */
export const CRASH_LOOP_FAILURES = 3;

export interface Backoff {
  /** Young deaths in the window. */
  failures: number;
  crashLooping: boolean;
  /** Nothing of this release may be launched before; null when it may at once. */
  until: number | null;
  lastCause: string | null;
}

export function backoffOf(failures: readonly Failure[], release: number, now: number): Backoff {
  const young = failures.filter(
    (failure) =>
      failure.release === release &&
      failure.at > now - WINDOW_MS &&
      (failure.servedMs === null || failure.servedMs < YOUNG_MS),
  );
  const last = young.at(-1);
  const waitMs = waitAfter(young.length);
  const until = last && last.at + waitMs > now ? last.at + waitMs : null;
  return {
    failures: young.length,
    crashLooping: young.length >= CRASH_LOOP_FAILURES,
    until: waitMs === 0 ? null : until,
    lastCause: last?.cause ?? null,
  };
}

function waitAfter(failures: number): number {
  if (failures < 2) return 0;
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 2));
}
