import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { backOffMs } from './fleet-plan.ts';

/** How fast workers may be started: ever more slowly while they die before they are ready. */
export class LaunchPace {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Workers in a row that died before they were ready. */
  #earlyDeaths = 0;
  #state: 'free' | 'waiting' | 'waited' = 'free';

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** How many of those wanted may be started now. @param again called when more may be */
  allow(wanted: number, again: () => void): number {
    const delayMs = backOffMs(this.#earlyDeaths);
    if (this.#state === 'waiting') return 0;
    if (delayMs === 0) return wanted;
    if (this.#state === 'waited') {
      this.#state = 'free';
      return Math.min(1, wanted);
    }
    const fields = { earlyDeaths: this.#earlyDeaths, delayMs };
    this.#log.warn(fields, 'workers die before they are ready; waiting');
    this.#state = 'waiting';
    this.#clock.after(delayMs, () => {
      this.#state = 'waited';
      again();
    });
    return 0;
  }

  /** A worker has died, or could not be started. */
  died(wasReady: boolean): void {
    this.#earlyDeaths = wasReady ? 0 : this.#earlyDeaths + 1;
  }

  gotReady(): void {
    this.#earlyDeaths = 0;
  }
}
