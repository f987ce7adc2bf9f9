/**
 * Time, handed in. Everything that decides or waits takes a Clock, so that a test or a simulation
 * drives it by hand; this folder is the only place that touches the machine's own clock and timers.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. For records and for people. */
  now(): number;
  /**
   * Milliseconds that never go back, whatever is done to the wall clock. For durations and deadlines.
   * The same in every process until the machine starts again.
   */
  monotonic(): number;
  /** Calls `run` once after `delayMs`. A pending timer keeps the process alive. */
  after(delayMs: number, run: () => void): Timer;
  /** Calls `run` every `periodMs` until cancelled. Does not keep the process alive. */
  every(periodMs: number, run: () => void): Timer;
  /** Waits; a signal ends the wait early. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<'elapsed' | 'aborted'>;
}

function sleepOn(
  clock: Pick<Clock, 'after'>,
  delayMs: number,
  signal?: AbortSignal,
): Promise<'elapsed' | 'aborted'> {
  if (signal?.aborted) return Promise.resolve('aborted');
  return new Promise((resolve) => {
    const abort = () => {
      timer.cancel();
      resolve('aborted');
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve('elapsed');
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** When this process began, on the machine's own clock. */
const PROCESS_START_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => PROCESS_START_MS + performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, run) {
    const handle = setInterval(run, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

interface Due {
  at: number;
  order: number;
  run: () => void;
  periodMs: number | null;
}

/** A clock that stands still until told to move; timers fire in order as it passes them. */
export interface ManualClock extends Clock {
  /** Moves time on by `byMs`, firing what falls due, and lets promises settle between firings. */
  advance(byMs: number): Promise<void>;
  /** Sets the wall clock without moving timers, as an administrator or NTP would. */
  setWallClock(epochMs: number): void;
  /** Timers not yet fired or cancelled. */
  pending(): number;
}

export function manualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  let order = 0;
  const timers = new Set<Due>();

  const add = (delayMs: number, run: () => void, periodMs: number | null): Timer => {
    const due: Due = { at: elapsedMs + Math.max(0, delayMs), order: order++, run, periodMs };
    timers.add(due);
    return { cancel: () => timers.delete(due) };
  };

  const nextDue = (untilMs: number): Due | undefined => {
    let next: Due | undefined;
    for (const due of timers) {
      if (due.at > untilMs) continue;
      if (!next || due.at < next.at || (due.at === next.at && due.order < next.order)) next = due;
    }
    return next;
  };

  const clock: ManualClock = {
    now: () => wallOffsetMs + elapsedMs,
    monotonic: () => elapsedMs,
    after: (delayMs, run) => add(delayMs, run, null),
    every: (periodMs, run) => add(periodMs, run, periodMs),
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    async advance(byMs) {
      const untilMs = elapsedMs + byMs;
      await settlePromises();
      for (let due = nextDue(untilMs); due; due = nextDue(untilMs)) {
        elapsedMs = due.at;
        if (due.periodMs === null) timers.delete(due);
        else {
          // The same entry, so that whoever set it can still cancel it.
          due.at += due.periodMs;
          due.order = order++;
        }
        due.run();
        await settlePromises();
      }
      elapsedMs = untilMs;
    },
    setWallClock(epochMs) {
      wallOffsetMs = epochMs - elapsedMs;
    },
    pending: () => timers.size,
  };
  return clock;
}

/** Lets every promise callback that is ready, and those it makes ready, run. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
