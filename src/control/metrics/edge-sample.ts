import type { EdgeDriver } from '../../edge/driver.ts';
import type { SparseHistogram } from '../../kernel/histogram.ts';
import type { EnvironmentKey } from '../../model/environment.ts';
import {
  answersOf,
  emptyRow,
  type LedgerReading,
  type LedgerRow,
  ledgerDifference,
  outcomes,
} from '../../model/ledger.ts';
import type { TargetStatus, TargetTraffic } from '../../model/target.ts';

/** What the edge says at one moment: all that has passed, and what is inside. */
export interface EdgeSample {
  ledger: LedgerReading;
  traffic: readonly TargetTraffic[];
  targets: readonly TargetStatus[];
  /** By environment, those that wait for an instance; null: this edge does not tell. */
  waiting: Readonly<Record<EnvironmentKey, number>> | null;
}

/** What passed through an environment between two samples, and what is inside it at the second. */
export interface Passed {
  /** See `GroupSecond`; null without an earlier sample. */
  came: number | null;
  errors: number | null;
  cached: number | null;
  latency: SparseHistogram | null;
  inFlight: number;
  waiting: number | null;
}

/** Asks the workers once: what is told next is from the same moment, or from just after. */
export async function sampleEdge(
  edge: Pick<EdgeDriver, 'traffic' | 'ledger' | 'status'>,
): Promise<EdgeSample> {
  const traffic = await edge.traffic();
  const [ledger, { targets, waiting = null }] = await Promise.all([edge.ledger(), edge.status()]);
  return { ledger, traffic, targets, waiting };
}

/** Rows and targets of each environment, found once for all of them. */
export class EdgeTotals {
  readonly #rows = new Map<EnvironmentKey, LedgerRow[]>();
  readonly #inside = new Map<EnvironmentKey, { inFlight: number; tunnels: number }>();
  readonly #traffic: ReadonlyMap<string, TargetTraffic>;
  readonly #inFlight = new Map<string, number>();
  readonly #sample: EdgeSample;

  constructor(sample: EdgeSample) {
    this.#sample = sample;
    for (const row of sample.ledger.rows) {
      const rows = this.#rows.get(row.environment);
      if (rows) rows.push(row);
      else this.#rows.set(row.environment, [row]);
    }
    this.#traffic = new Map(sample.traffic.map((each) => [each.id, each]));
    const byPool = new Map<string, { inFlight: number; tunnels: number }>();
    for (const { pool, id, inFlight, tunnels } of sample.targets) {
      let inside = byPool.get(pool);
      if (!inside) {
        inside = this.#insideOf(pool.slice(0, pool.lastIndexOf('#')));
        byPool.set(pool, inside);
      }
      inside.inFlight += inFlight;
      inside.tunnels += tunnels;
      this.#inFlight.set(id, inFlight);
    }
  }

  /** All that has passed through an instance; undefined while it is no target. */
  traffic(id: string): TargetTraffic | undefined {
    return this.#traffic.get(id);
  }

  /** Requests inside an instance; undefined while it is no target. */
  inside(id: string): number | undefined {
    return this.#inFlight.get(id);
  }

  /** @param earlier the sample before; null where there is none to compare with */
  passed(key: EnvironmentKey, earlier: EdgeTotals | null): Passed {
    const { inFlight } = this.#insideOf(key);
    const waiting = this.#waiting(key);
    if (earlier === null) {
      return { came: null, errors: null, cached: null, latency: null, inFlight, waiting };
    }
    const growth = this.#open(key) - earlier.#open(key);
    // Instances bear the cache's own requests as well.
    const refreshes = Math.max(0, this.#refreshes(key) - earlier.#refreshes(key));
    // Most environments are idle most of the time, and histograms are long.
    if (this.#ended(key) === earlier.#ended(key)) {
      return { came: growth + refreshes, errors: 0, cached: 0, latency: [], inFlight, waiting };
    }
    const row = ledgerDifference(earlier.#reading(key), this.#reading(key));
    return {
      came: arrivals(row) + growth + refreshes,
      errors: Math.max(0, answersOf(row, '5xx') - (row.answers['cached 5xx'] ?? 0)),
      cached: Math.max(0, row.outcomes.cached),
      latency: row.latency,
      inFlight,
      waiting,
    };
  }

  #ended(key: EnvironmentKey): number {
    let ended = 0;
    for (const row of this.#rows.get(key) ?? []) {
      for (const outcome of outcomes) ended += row.outcomes[outcome];
    }
    return ended;
  }

  #insideOf(key: EnvironmentKey): { inFlight: number; tunnels: number } {
    let inside = this.#inside.get(key);
    if (!inside) {
      inside = { inFlight: 0, tunnels: 0 };
      this.#inside.set(key, inside);
    }
    return inside;
  }

  #waiting(key: EnvironmentKey): number | null {
    const { waiting } = this.#sample;
    return waiting === null ? null : (waiting[key] ?? 0);
  }

  /** Every request and upgraded connection that has come and not ended. */
  #open(key: EnvironmentKey): number {
    const { inFlight, tunnels } = this.#insideOf(key);
    return inFlight + tunnels + (this.#waiting(key) ?? 0);
  }

  #refreshes(key: EnvironmentKey): number {
    return this.#sample.ledger.cache?.[key]?.refreshes ?? 0;
  }

  #reading(key: EnvironmentKey): LedgerReading {
    return { ...this.#sample.ledger, rows: this.#rows.get(key) ?? [emptyRow(key)] };
  }
}

/**
 * Requests that wanted an instance, however they ended. Not what the edge answers by itself, and
 * not those of a client that sends more than it may (429); but those for which nobody had room.
 */
function arrivals({ outcomes: counts, answers }: LedgerRow): number {
  const { ok, lost, cut } = counts;
  const hadNoRoom = answers['shed 5xx'] ?? 0;
  return ok + counts['app-error'] + lost + cut + counts['client-aborted'] + hadNoRoom;
}
