import { systemClock } from '../../../src/kernel/clock.ts';

const LOOK_PERIOD_MS = 20;

/**
 * Looks at real processes again and again until what it sees will do. What throws is not there yet,
 * and is told when time is up, or when `hopeless` says why there is no more to wait for.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  holds: (seen: T) => boolean,
  timeoutMs = 20_000,
  hopeless: () => string | null = () => null,
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
    const why = hopeless() ?? (systemClock.monotonic() > deadline ? `${timeoutMs} ms` : null);
    if (why !== null) {
      const last = JSON.stringify(seen);
      throw new Error(`${what}: waited in vain (${why}); last seen ${last}`, { cause: thrown });
    }
    await systemClock.sleep(LOOK_PERIOD_MS);
  }
}
