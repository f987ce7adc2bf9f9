import { sum } from '../../kernel/histogram.ts';
import type { TargetTraffic } from '../../model/target.ts';
import { keyOf } from './checks.ts';

export type TargetName = Pick<TargetTraffic, 'pool' | 'id'>;

/**
 * What has passed through the targets of the snapshot, over all workers: what ended ones had told is
 * kept, and living ones are added when it is read. In memory alone, and only while a target is in
 * the snapshot; what must never be lost is in the ledger.
 */
export class Traffic {
  /** By worker, what it told last. */
  readonly #living = new Map<string, Map<string, TargetTraffic>>();
  readonly #ended = new Map<string, TargetTraffic>();

  /** A worker's counts since it began. */
  told(worker: string, traffic: readonly TargetTraffic[]): void {
    this.#living.set(worker, new Map(traffic.map((each) => [keyOf(each.pool, each.id), each])));
  }

  /** The worker has ended. */
  fold(worker: string): void {
    for (const [key, traffic] of this.#living.get(worker) ?? []) {
      this.#ended.set(key, added(this.#ended.get(key), traffic));
    }
    this.#living.delete(worker);
  }

  /** Forgets all other targets: one that comes back under its name begins anew, as in workers. */
  keep(targets: readonly TargetName[]): void {
    const kept = new Set(targets.map(({ pool, id }) => keyOf(pool, id)));
    for (const counts of [this.#ended, ...this.#living.values()]) {
      for (const key of counts.keys()) if (!kept.has(key)) counts.delete(key);
    }
  }

  read(targets: readonly TargetName[]): TargetTraffic[] {
    return targets.map(({ pool, id }) => {
      const key = keyOf(pool, id);
      const none = { pool, id, requests: 0, appErrors: 0, failures: 0, latency: [] };
      return [this.#ended, ...this.#living.values()]
        .flatMap((counts) => counts.get(key) ?? [])
        .reduce(added, none);
    });
  }
}

function added(a: TargetTraffic | undefined, b: TargetTraffic): TargetTraffic {
  if (a === undefined) return b;
  return {
    ...a,
    requests: a.requests + b.requests,
    appErrors: a.appErrors + b.appErrors,
    failures: a.failures + b.failures,
    latency: sum(a.latency, b.latency),
  };
}
