import { type Histogram, histogram } from '../../kernel/histogram.ts';
import {
  type AnswerCounts,
  type Gone,
  type LedgerRow,
  type Outcome,
  type OutcomeCounts,
  outcomes,
  placeAfter,
  type RowPlace,
  rowKey,
  statusClasses,
} from '../../model/ledger.ts';
import type { WorkerReport } from '../link.ts';

/** By so much a worker raises its ceiling at a time: at first, and at most. */
const MIN_LEASE = 64;
const MAX_LEASE = 1_024;
/**
 * The ceiling stays so far above what was accepted: requests that lie unread in a worker's sockets
 * when it is killed are lost to their clients too.
 */
const MARGIN = 32;

/** 1xx to 5xx, and none. */
const CLASSES = statusClasses.length + 1;

const outcomeIndex = Object.fromEntries(outcomes.map((outcome, i) => [outcome, i])) as Record<
  Outcome,
  number
>;

/** Counts what ended in one pool and zone. */
export class RowCounter {
  retried = 0;
  drained = 0;
  changed = false;
  readonly place: RowPlace;
  /** By outcome, and within it by class of status; the first for none. */
  private readonly counts = new Float64Array(outcomes.length * CLASSES);
  /** Made when it is needed: 30 KB, and most rows of old releases stay empty. */
  private latency: Histogram | null = null;

  constructor(place: RowPlace) {
    this.place = place;
  }

  /** @param status that was answered; 0 for none */
  count(outcome: Outcome, status: number): void {
    const index = outcomeIndex[outcome] * CLASSES + ((status / 100) | 0);
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

  /** Takes over what another has counted. */
  add(other: RowCounter): void {
    for (const [index, count] of other.counts.entries()) {
      this.counts[index] = (this.counts[index] ?? 0) + count;
    }
    this.retried += other.retried;
    this.drained += other.drained;
    if (other.latency !== null) {
      this.latency ??= histogram();
      this.latency.add(other.latency.toSparse());
    }
    this.changed = true;
  }

  read(): LedgerRow {
    const answers: AnswerCounts = {};
    const totals = outcomes.map((outcome, i): [Outcome, number] => {
      const counts = this.counts.subarray(i * CLASSES, (i + 1) * CLASSES);
      for (const [index, statusClass] of statusClasses.entries()) {
        const count = counts[index + 1] ?? 0;
        if (count > 0) answers[`${outcome} ${statusClass}`] = count;
      }
      return [outcome, counts.reduce((total, count) => total + count, 0)];
    });
    return {
      ...this.place,
      outcomes: Object.fromEntries(totals) as OutcomeCounts,
      answers,
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
  /** Rows have gone since they were last read: what is left of them is in others. */
  private merged = false;
  private readonly rows = new Map<string, RowCounter>();
  private lease = MIN_LEASE;
  private leasesSinceRead = 0;
  private readonly raiseCeiling: (ceiling: number) => void;

  /** @param raiseCeiling told before a request above the last ceiling is accepted */
  constructor(raiseCeiling: (ceiling: number) => void) {
    this.raiseCeiling = raiseCeiling;
    this.poolless = this.row({ pool: '', environment: '', release: null, zone: null });
  }

  accept(): void {
    if (this.accepted + MARGIN >= this.ceiling) this.takeLease();
    this.accepted += 1;
  }

  /**
   * Saying a ceiling costs as much as some requests, so a lease is doubled when the one before was
   * used up between two reports: then more have ended unreported than it holds.
   */
  private takeLease(): void {
    this.lease = this.leasesSinceRead > 0 ? Math.min(MAX_LEASE, this.lease * 2) : MIN_LEASE;
    this.leasesSinceRead += 1;
    this.ceiling += this.lease;
    this.raiseCeiling(this.ceiling);
  }

  /** @param status that was answered; 0 for none */
  end(row: RowCounter, outcome: Outcome, status: number): void {
    this.ended += 1;
    row.count(outcome, status);
  }

  get inFlight(): number {
    return this.accepted - this.ended;
  }

  /** The row of a pool and zone; the same one until it is merged into another. */
  row(place: RowPlace): RowCounter {
    const key = rowKey(place);
    let row = this.rows.get(key);
    if (!row) {
      row = new RowCounter(place);
      this.rows.set(key, row);
    }
    return row;
  }

  /** Counts what is gone more coarsely; nobody may hold a row of it any more. */
  merge(gone: Gone): void {
    for (const [key, row] of this.rows) {
      const place = placeAfter(row.place, gone);
      if (place === row.place) continue;
      this.rows.delete(key);
      this.row(place).add(row);
      this.merged = true;
    }
  }

  /** All rows, or those that changed since they were last read, where these tell everything. */
  readRows(extent: 'everything' | 'changes'): Pick<WorkerReport, 'rows' | 'complete'> {
    this.leasesSinceRead = 0;
    const complete = extent === 'everything' || this.merged;
    this.merged = false;
    const rows: LedgerRow[] = [];
    for (const row of this.rows.values()) {
      if (!complete && !row.changed) continue;
      row.changed = false;
      rows.push(row.read());
    }
    return { rows, complete };
  }
}
