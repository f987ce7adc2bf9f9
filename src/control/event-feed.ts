import type { Clock } from '../kernel/clock.ts';
import type { BelayEvent, NewEvent } from '../model/event.ts';
import type { Store } from '../store/driver.ts';

/** Events: kept first, then told to whoever listens. */
export class EventFeed {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: BelayEvent) => void>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  publish(event: NewEvent): void {
    const kept = this.#store.appendEvent(event, this.#clock.now());
    for (const listener of this.#listeners) listener(kept);
  }

  subscribe(listener: (event: BelayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
