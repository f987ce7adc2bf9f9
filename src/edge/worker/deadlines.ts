import type { Clock, Timer } from '../../kernel/clock.ts';

/** How late a deadline may be noticed. */
export const SWEEP_MS = 250;

/** Something with one deadline at a time, which moving costs no more than a number. */
export interface Deadlined {
  /** Monotonic milliseconds; infinity for none. */
  deadlineMs: number;
  onDeadline(nowMs: number): void;
}

/**
 * All deadlines of a worker on one timer: a sweep over what is open, four times a second, is
 * cheaper than a timer for each that is set and cleared several times per request.
 */
export class Deadlines {
  private readonly watched = new Set<Deadlined>();
  private readonly clock: Clock;
  private timer: Timer | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  start(): void {
    this.timer ??= this.clock.every(SWEEP_MS, () => this.sweep());
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  add(watched: Deadlined): void {
    this.watched.add(watched);
  }

  remove(watched: Deadlined): void {
    this.watched.delete(watched);
  }

  private sweep(): void {
    const nowMs = this.clock.monotonic();
    for (const watched of this.watched) {
      if (watched.deadlineMs <= nowMs) watched.onDeadline(nowMs);
    }
  }
}
