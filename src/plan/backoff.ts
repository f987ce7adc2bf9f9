import type { Failure } from './observation.ts';

/**
 * When a release keeps dying young, launching it again at once helps nobody. The first replacement
 * is immediate; from the second on the wait doubles. Deaths after a long service are bad luck, not
 * a crash loop, and are replaced at once.
 *
 * What counts is tries. Several that die at a time, with their zone or by one hand, are one: only the
 * death of an instance that was launched after the death before says that launching did not help.
 */

/** An instance that served this long and then died does not count towards a crash loop. */
const YOUNG_MS = 10_000;
const WINDOW_MS = 10 * 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** So many tries in the window that ended young make it a crash loop that is worth telling a person. */
const CRASH_LOOP_TRIES = 3;

export interface Backoff {
  /** Young deaths in the window. */
  failures: number;
  crashLooping: boolean;
  /** Nothing of this release may be launched before; null when it may at once. */
  until: number | null;
  lastCause: string | null;
}

/** @param failures oldest first */
export function backoffOf(failures: readonly Failure[], release: number, now: number): Backoff {
  const young = failures.filter(
    (failure) =>
      failure.release === release &&
      failure.at > now - WINDOW_MS &&
      (failure.servedMs === null || failure.servedMs < YOUNG_MS),
  );
  const { tries, endedAt } = triesIn(young);
  const until = endedAt + waitAfter(tries);
  return {
    failures: young.length,
    crashLooping: tries >= CRASH_LOOP_TRIES,
    until: until > now ? until : null,
    lastCause: young.at(-1)?.cause ?? null,
  };
}

/** How many, and when the last of them ended. */
function triesIn(failures: readonly Failure[]): { tries: number; endedAt: number } {
  let tries = 0;
  let endedAt = Number.NEGATIVE_INFINITY;
  for (const { launchedAt, at } of failures) {
    if (launchedAt < endedAt) continue;
    tries += 1;
    endedAt = at;
  }
  return { tries, endedAt };
}

/** What a person is told of a crash loop. */
export function crashLoopSentence(
  release: number,
  { failures, lastCause, until }: Backoff,
  now: number,
): string {
  const wait = until === null ? '' : `; next try in ${Math.ceil((until - now) / 1000)} s`;
  return `release ${release} is crash-looping: ${failures} instances ended young, the last one ${lastCause}${wait}`;
}

function waitAfter(tries: number): number {
  if (tries < 2) return 0;
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 2));
}
