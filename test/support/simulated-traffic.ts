import type { MemoryEdge } from '../../src/edge/memory.ts';
import { bucketOf, type SparseHistogram } from '../../src/kernel/histogram.ts';
import type { TargetTraffic } from '../../src/model/target.ts';

/** How an instance answers. */
export interface Answers {
  /** Of its answers, the share that are 5xx. */
  errorShare: number;
  latencyUs: number;
}

export const answersWell: Answers = { errorShare: 0, latencyUs: 5_000 };

/**
 * Requests at a fixed rate through an edge that is data: picks as the real one does, a pool by its
 * weight and a healthy target in turn, and counts what each target has answered.
 */
export class SimulatedTraffic {
  /** Found no healthy target anywhere. */
  unserved = 0;
  /** By target. */
  readonly answered = new Map<string, number>();
  readonly #edge: MemoryEdge;
  readonly #perSecond: number;
  readonly #answersOf: (target: string) => Answers;
  readonly #credits = new Map<string, number>();
  readonly #traffic = new Map<string, TargetTraffic>();
  #due = 0;
  #turn = 0;

  constructor(edge: MemoryEdge, perSecond: number, answersOf: (target: string) => Answers) {
    this.#edge = edge;
    this.#perSecond = perSecond;
    this.#answersOf = answersOf;
  }

  /** The targets that take requests now, by pool, with their weight; none where no pool can. */
  async routed(): Promise<{ pool: string; weight: number; targets: string[] }[]> {
    const { targets } = await this.#edge.status();
    const healthy = targets.filter(({ health }) => health === 'healthy');
    return (this.#edge.snapshot?.rules[0]?.forward ?? [])
      .filter(({ weight }) => weight > 0)
      .map(({ pool, weight }) => ({
        pool,
        weight,
        targets: healthy.filter((target) => target.pool === pool).map(({ id }) => id),
      }))
      .filter(({ targets }) => targets.length > 0);
  }

  /** Sends what falls due in so much time. */
  async pass(elapsedMs: number): Promise<void> {
    this.#due += (this.#perSecond * elapsedMs) / 1000;
    const routed = await this.routed();
    for (; this.#due >= 1; this.#due -= 1) this.#send(routed);
    this.#edge.setTraffic([...this.#traffic.values()]);
  }

  #send(routed: readonly { pool: string; weight: number; targets: string[] }[]): void {
    let chosen: (typeof routed)[number] | null = null;
    const total = routed.reduce((sum, { weight }) => sum + weight, 0);
    for (const each of routed) {
      const credit = (this.#credits.get(each.pool) ?? 0) + each.weight / total;
      this.#credits.set(each.pool, credit);
      if (chosen === null || credit > (this.#credits.get(chosen.pool) ?? 0)) chosen = each;
    }
    this.#turn += 1;
    const target = chosen?.targets[this.#turn % chosen.targets.length];
    if (chosen === null || target === undefined) {
      this.unserved += 1;
      return;
    }
    this.#credits.set(chosen.pool, (this.#credits.get(chosen.pool) ?? 0) - 1);
    this.#answer(chosen.pool, target);
  }

  #answer(pool: string, id: string): void {
    const { errorShare, latencyUs } = this.#answersOf(id);
    const before = this.#traffic.get(id);
    const requests = (before?.requests ?? 0) + 1;
    const appErrors = Math.floor(requests * errorShare);
    this.answered.set(id, requests);
    const latency: SparseHistogram = [bucketOf(latencyUs), requests];
    this.#traffic.set(id, { pool, id, requests, appErrors, failures: 0, latency });
  }
}
