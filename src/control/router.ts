import type { EdgeDriver } from '../edge/driver.ts';
import { Fault } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { planRouting } from '../plan/routing.ts';
import type { Store } from '../store/driver.ts';
import type { EdgeView } from './edge-view.ts';
import { routedEnvironment, type Slots } from './observe.ts';
import type { Records } from './records.ts';

/** Brings the edge's routing in line with the records: one snapshot at a time, and only on change. */
export class Router {
  readonly #records: Records;
  readonly #store: Store;
  readonly #edge: EdgeDriver;
  readonly #view: EdgeView;
  readonly #slots: () => Promise<Slots>;
  readonly #log: Log;
  /** The content of the last snapshot the edge acknowledged. */
  #published: string | null = null;
  #publishing: Promise<void> = Promise.resolve();

  constructor(parts: {
    records: Records;
    store: Store;
    edge: EdgeDriver;
    view: EdgeView;
    slots: () => Promise<Slots>;
    log: Log;
  }) {
    this.#records = parts.records;
    this.#store = parts.store;
    this.#edge = parts.edge;
    this.#view = parts.view;
    this.#slots = parts.slots;
    this.#log = parts.log;
  }

  /** The edge may have lost what it held: publish again at the next chance. */
  forget(): void {
    this.#published = null;
  }

  /**
   * Publishes when anything has changed; resolves when the edge routes by it, with whether it did.
   *
   * @throws what the edge throws; the next call tries again
   */
  refresh(): Promise<boolean> {
    const next = this.#publishing.then(() => this.#publish());
    this.#publishing = next.then(
      () => {},
      () => {},
    );
    return next;
  }

  async #publish(): Promise<boolean> {
    // Read here, in turn, so that a later snapshot never knows less than an earlier one.
    const slots = await this.#slots();
    const environments = this.#records.environments();
    const routing = {
      settings: this.#records.edgeSettings,
      cookieKey: this.#records.cookieKey,
      ...planRouting(
        environments
          .filter(({ status }) => status !== 'terminated')
          .map((environment) => routedEnvironment(environment, this.#records, slots)),
      ),
    };
    const content = JSON.stringify(routing);
    if (content === this.#published) return false;
    const snapshot = await this.#send(routing);
    this.#published = content;
    this.#view.acknowledge(snapshot);
    return true;
  }

  /** An edge with a newer number than the store knows (a home restored from a backup) is followed. */
  async #send(routing: Omit<Snapshot, 'number'>): Promise<Snapshot> {
    const snapshot = this.#number(routing);
    try {
      await this.#edge.publish(snapshot);
      return snapshot;
    } catch (fault) {
      if (!(fault instanceof Fault) || fault.code !== 'stale-snapshot') throw fault;
      const current = Number(fault.details?.current ?? 0);
      this.#log.warn({ current }, 'the edge holds a newer snapshot; numbering on from it');
      const renumbered = this.#number(routing, current + 1);
      await this.#edge.publish(renumbered);
      return renumbered;
    }
  }

  /** Numbers the snapshot and notes, in the same transaction, which instances it unroutes. */
  #number(routing: Omit<Snapshot, 'number'>, atLeast = 1): Snapshot {
    return this.#records.transaction(() => {
      const number = this.#store.nextSnapshotNumber(atLeast);
      for (const { key } of this.#records.environments()) {
        const unrouted = this.#records
          .instances(key)
          .filter(({ state, unroutedBy }) => state === 'draining' && unroutedBy === null);
        this.#records.markUnrouted(unrouted, number);
      }
      return { number, ...routing };
    });
  }
}
