import type { Clock } from '../kernel/clock.ts';

/** Waits that something may cut short: a hint that there is news, or the user leaving. */
export interface Bell {
  ring(): void;
  /** Returns after `delayMs`, when rung, or when interrupted; a ring between two waits counts. */
  wait(delayMs: number): Promise<void>;
}

export function createBell(clock: Clock, interrupt: AbortSignal): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async wait(delayMs) {
      await clock.sleep(Math.max(0, delayMs), AbortSignal.any([rung.signal, interrupt]));
      rung = new AbortController();
    },
  };
}
