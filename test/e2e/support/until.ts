import { systemClock } from '../../../src/kernel/clock.ts';

const LOOK_PERIOD_MS = 20;

/**
 * Looks at real processes again and again until what it sees will do. What throws is not there yet,
 * and is told when time is up.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  holds: (seen: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = systemClock.monotonic() + timeoutMs;
  for (;;) {
    let seen: T | undefined;
    let thrown: unknown;
    try {
      seen = await look();
      if (holds(seen)) return seen;
    } catch (cause) {
      thrown = cause;
    }
    if (systemClock.monotonic() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}; last seen ${JSON.stringify(seen)}`, {
        cause: thrown,
      });
    }
    await systemClock.sleep(LOOK_PERIOD_MS);
  }
}
