import { quantile } from '../kernel/histogram.ts';
import { type LedgerReading, ledgerDifference, outcomes } from './ledger.ts';

/** The account of an operation: what passed and what was lost between its start and its end. */
export interface Receipt {
  /** Requests that ended, whatever their outcome. */
  requests: number;
  lost: number;
  retried: number;
  drained: number;
  cut: number;
  appErrors: number;
  shed: number;
  clientAborted: number;
  /** At most so many requests ended without an account, because an edge worker was killed. */
  unaccounted: number;
  /** Milliseconds, of what instances answered; null when no request ended. */
  p50Ms: number | null;
  p99Ms: number | null;
  durationMs: number;
}

export function receiptBetween(
  earlier: LedgerReading,
  later: LedgerReading,
  environment: string,
): Receipt {
  const row = ledgerDifference(earlier, later, environment);
  return {
    requests: outcomes.reduce((total, outcome) => total + row.outcomes[outcome], 0),
    lost: row.outcomes.lost,
    retried: row.retried,
    drained: row.drained,
    cut: row.outcomes.cut,
    appErrors: row.outcomes['app-error'],
    shed: row.outcomes.shed,
    clientAborted: row.outcomes['client-aborted'],
    unaccounted: later.unaccounted - earlier.unaccounted,
    p50Ms: toMs(quantile(row.latency, 0.5)),
    p99Ms: toMs(quantile(row.latency, 0.99)),
    durationMs: later.at - earlier.at,
  };
}

const toMs = (us: number | null): number | null => (us === null ? null : Math.round(us / 10) / 100);
