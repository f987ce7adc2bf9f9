import { type Histogram, histogram } from '../../kernel/histogram.ts';
import { type LedgerRow, type Outcome, type OutcomeCounts, outcomes } from '../../model/ledger.ts';

/** Requests a worker may accept before it has to say a higher ceiling. */
const LEASE = 64;

const outcomeIndex = Object.fromEntries(outcomes.map((outcome, i) => [outcome, i])) as Record<
  Outcome,
  number
>;

/** Counts what ended in one pool and zone. */
export class RowCounter {
  retried = 0;
  drained = 0;
  changed = false;
  private readonly key: Pick<LedgerRow, 'pool' | 'environment' | 'release' | 'zone'>;
  private readonly counts = new Float64Array(outcomes.length);
  /** Made when it is needed: 30 KB, and most rows of old releases stay empty. */
  private latency: Histogram | null = null;

  constructor(key: Pick<LedgerRow, 'pool' | 'environment' | 'release' | 'zone'>) {
    this.key = key;
  }

  count(outcome: Outcome): void {
    const index = outcomeIndex[outcome];
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.changed = true;
  }

  /** Counts an attempt beyond a request's first. */
  countRetry(): void {
    this.retried += 1;
    this.changed = true;
  }

  recordLatency(us: number): void {
    this.latency ??= histogram();
    this.latency.record(us);
  }

  read(): LedgerRow {
    return {
      ...this.key,
      outcomes: Object.fromEntries(
        outcomes.map((outcome, i) => [outcome, this.counts[i] ?? 0]),
      ) as OutcomeCounts,
      retried: this.retried,
      drained: this.drained,
      latency: this.latency?.toSparse() ?? [],
    };
  }
}

/**
 * Everything a worker has accepted and how it ended. `accepted − ended` is what is inside it,
 * upgraded connections included.
 */
export class Account {
  accepted = 0;
  ended = 0;
  tunnels = 0;
  /** See `ceiling` in link.ts. */
  ceiling = 0;
  /** For requests that never reached a pool. */
  readonly poolless: RowCounter;
  private readonly rows = new Map<string, RowCounter>();
  private readonly raiseCeiling: (ceiling: number) => void;

  /** @param raiseCeiling told before a request above the last ceiling is accepted */
  constructor(raiseCeiling: (ceiling: number) => void) {
    this.raiseCeiling = raiseCeiling;
    this.poolless = this.row({ pool: '', environment: '', release: null, zone: null });
  }

  accept(): void {
    if (this.accepted >= this.ceiling) {
      this.ceiling = this.accepted + LEASE;
      this.raiseCeiling(this.ceiling);
    }
    this.accepted += 1;
  }

  end(row: RowCounter, outcome: Outcome): void {
    this.ended += 1;
    row.count(outcome);
  }

  get inFlight(): number {
    return this.accepted - this.ended;
  }

  /** The row of a pool and zone; the same one for as long as the worker lives. */
  row(key: Pick<LedgerRow, 'pool' | 'environment' | 'release' | 'zone'>): RowCounter {
    const name = `${key.pool}@${key.zone ?? ''}`;
    let row = this.rows.get(name);
    if (!row) {
      row = new RowCounter(key);
      this.rows.set(name, row);
    }
    return row;
  }

  /** All rows, or only those that changed since they were last read. */
  readRows(onlyChanged: boolean): LedgerRow[] {
    const read: LedgerRow[] = [];
    for (const row of this.rows.values()) {
      if (onlyChanged && !row.changed) continue;
      row.changed = false;
      read.push(row.read());
    }
    return read;
  }
}
