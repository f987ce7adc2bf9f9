import type { Clock, Timer } from '../../kernel/clock.ts';

/** Some 4 % of a core, where a file takes 200 µs. */
const PER_PERIOD = 20;
const PERIOD_MS = 100;
/** So many at once after a rest. */
const MOST_AT_ONCE = 200;
/** Of those that are not remembered, the disk has nothing; it is but there to help. */
const MOST_WAITING = 10_000;

/**
 * How fast a worker writes small files. A file costs ten times what its answer costs, so that in a
 * storm of new addresses, most of which nobody asks for again, the writing would be most of the work:
 * they wait, and those that memory still has when their turn comes are written.
 */
export class WritePace {
  private readonly clock: Clock;
  private readonly onTurn: (key: string) => void;
  /** By their keys, who waits. */
  private readonly waiting = new Set<string>();
  private left = MOST_AT_ONCE;
  private timer: Timer | null = null;

  /** @param onTurn is to ask again for one who waited, if there is still something to write */
  constructor(clock: Clock, onTurn: (key: string) => void) {
    this.clock = clock;
    this.onTurn = onTurn;
  }

  /** Whether to write now; if not, its turn comes. */
  admit(key: string): boolean {
    if (this.left === 0) {
      if (this.waiting.size < MOST_WAITING) this.waiting.add(key);
      return false;
    }
    this.left -= 1;
    this.waiting.delete(key);
    this.timer ??= this.clock.after(PERIOD_MS, () => this.onPeriod());
    return true;
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
    this.waiting.clear();
  }

  private onPeriod(): void {
    this.left = Math.min(MOST_AT_ONCE, this.left + PER_PERIOD);
    this.timer =
      this.left < MOST_AT_ONCE ? this.clock.after(PERIOD_MS, () => this.onPeriod()) : null;
    for (const key of this.waiting) {
      if (this.left === 0) return;
      this.waiting.delete(key);
      this.onTurn(key);
    }
  }
}
