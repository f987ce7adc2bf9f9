import { COARSE_BITS, type Histogram, histogram } from '../../kernel/histogram.ts';
import type { Outcome } from '../../model/ledger.ts';
import type { TargetTraffic } from '../../model/target.ts';

/** Counts what has passed through one target. There are many of these, so they are small. */
export class TargetCounter {
  private requests = 0;
  private appErrors = 0;
  private failures = 0;
  /** Made when it is needed: most targets of a large fleet are nearly idle in any one worker. */
  private latency: Histogram | null = null;

  /** A request that was last with it has ended, or an upgraded connection. */
  count(outcome: Outcome): void {
    this.requests += 1;
    if (outcome === 'app-error') this.appErrors += 1;
    else if (outcome === 'lost' || outcome === 'cut') this.failures += 1;
  }

  recordLatency(us: number): void {
    this.latency ??= histogram(COARSE_BITS);
    this.latency.record(us);
  }

  get isEmpty(): boolean {
    return this.requests === 0;
  }

  read(): Omit<TargetTraffic, 'pool' | 'id'> {
    const { requests, appErrors, failures } = this;
    return { requests, appErrors, failures, latency: this.latency?.toSparse() ?? [] };
  }
}
