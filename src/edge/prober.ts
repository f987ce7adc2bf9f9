import type { Clock } from '../kernel/clock.ts';
import type { Prober } from './driver.ts';
import { ask } from './supervisor/ask.ts';

/** Longer than anybody would wait for a page. */
const TIMEOUT_MS = 10_000;

/** Straight to the instance, as health checks go: no worker, and no account, knows of it. */
export function httpProber(clock: Clock): Prober {
  return async (target, path, signal) => {
    const askedAt = clock.monotonic();
    const answer = await ask(clock, target, { path, timeoutMs: TIMEOUT_MS, read: 'all' }, signal);
    const failed = answer.kind === 'none' || answer.status >= 500 || answer.cutOff !== null;
    return { failed, us: Math.round((clock.monotonic() - askedAt) * 1_000) };
  };
}
