import { quantile } from '../kernel/histogram.ts';
import { answersOf, type LedgerReading, ledgerDifference, outcomes } from '../model/ledger.ts';
import type { TrafficView } from '../model/view.ts';

/** How much of the recent past `status` speaks of. */
const WINDOW_MS = 60_000;
/** A rate over less than this says more about chance than about traffic. */
const SHORTEST_MS = 500;

/** Readings of the ledger from the last minute, to tell how much passes now. */
export class Traffic {
  #readings: LedgerReading[] = [];

  keep(reading: LedgerReading): void {
    const recent = this.#readings.filter(
      ({ at }) => at > reading.at - WINDOW_MS && at < reading.at,
    );
    this.#readings = [...recent, reading];
  }

  /** What passed through one environment over the window; null before there are two readings. */
  of(environment: string): TrafficView | null {
    const latest = this.#readings.at(-1);
    const earliest = this.#readings[0];
    if (!latest || !earliest) return null;
    const windowMs = latest.at - earliest.at;
    if (windowMs < SHORTEST_MS) return null;
    const row = ledgerDifference(earliest, latest, environment);
    const requests = outcomes.reduce((total, outcome) => total + row.outcomes[outcome], 0);
    return {
      windowMs,
      requestsPerSecond: Math.round((requests * 10_000) / windowMs) / 10,
      p50Ms: toMs(quantile(row.latency, 0.5)),
      p99Ms: toMs(quantile(row.latency, 0.99)),
      lost: row.outcomes.lost,
      appErrors: row.outcomes['app-error'],
      serverErrors: answersOf(row, '5xx'),
    };
  }
}

const toMs = (us: number | null): number | null => (us === null ? null : Math.round(us / 10) / 100);
