import type { Clock } from '../../kernel/clock.ts';

/** Waiting for a state to come about, checked again whenever something has happened. */
export interface Conditions {
  /** Something has happened. */
  notify(): void;
  until(holds: () => boolean, timeoutMs: number): Promise<'met' | 'timed-out'>;
  /** Without a deadline, for what must come about some time. */
  eventually(holds: () => boolean): Promise<void>;
}

export function conditions(clock: Clock): Conditions {
  const waiting = new Set<{ holds: () => boolean; met: () => void }>();

  const wait = (holds: () => boolean, met: () => void): (() => void) => {
    const entry = { holds, met };
    waiting.add(entry);
    return () => waiting.delete(entry);
  };

  return {
    notify() {
      for (const entry of waiting) {
        if (!entry.holds()) continue;
        waiting.delete(entry);
        entry.met();
      }
    },
    until(holds, timeoutMs) {
      if (holds()) return Promise.resolve('met');
      return new Promise((resolve) => {
        const timer = clock.after(timeoutMs, () => {
          forget();
          resolve('timed-out');
        });
        const forget = wait(holds, () => {
          timer.cancel();
          resolve('met');
        });
      });
    },
    eventually(holds) {
      if (holds()) return Promise.resolve();
      return new Promise((resolve) => {
        wait(holds, resolve);
      });
    },
  };
}
