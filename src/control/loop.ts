import type { Clock, Timer } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';

/** A key is looked at again after so long, whatever happens, because hints can be missed. */
const RESYNC_MS = 1_000;
/** After an error, the next try comes no sooner. */
const RETRY_MS = 250;

/** Reconciles one key; returns when it wants to be called again, or null. */
export type Reconcile = (key: string) => Promise<number | null>;

/**
 * Calls `reconcile` for each key, one at a time to a key: on every hint, when the key itself asked
 * for it, and now and then. A hint that comes while a key is being reconciled is not lost.
 */
export class ReconcileLoop {
  readonly #reconcile: Reconcile;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keys = new Map<string, KeyState>();
  #closed = false;

  constructor(reconcile: Reconcile, clock: Clock, log: Log) {
    this.#reconcile = reconcile;
    this.#clock = clock;
    this.#log = log;
  }

  wake(key: string): void {
    if (this.#closed) return;
    const state = this.#keys.get(key) ?? { running: null, again: false, timer: null };
    this.#keys.set(key, state);
    if (state.running) {
      state.again = true;
      return;
    }
    state.timer?.cancel();
    state.timer = null;
    state.running = this.#run(key, state);
  }

  forget(key: string): void {
    this.#keys.get(key)?.timer?.cancel();
    this.#keys.delete(key);
  }

  /** Resolves when every reconciliation under way has ended; none begins after. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const state of this.#keys.values()) state.timer?.cancel();
    await Promise.all([...this.#keys.values()].map(({ running }) => running));
  }

  async #run(key: string, state: KeyState): Promise<void> {
    let waitMs = RESYNC_MS;
    try {
      const wakeAt = await this.#reconcile(key);
      if (wakeAt !== null) waitMs = Math.min(RESYNC_MS, Math.max(0, wakeAt - this.#clock.now()));
    } catch (fault) {
      this.#log.error({ key, fault: messageOf(fault) }, 'reconciling failed; trying again');
      waitMs = RETRY_MS;
    }
    state.running = null;
    if (this.#closed || !this.#keys.has(key)) return;
    if (state.again) {
      state.again = false;
      this.wake(key);
      return;
    }
    state.timer = this.#clock.after(waitMs, () => this.wake(key));
  }
}

interface KeyState {
  running: Promise<void> | null;
  again: boolean;
  timer: Timer | null;
}
