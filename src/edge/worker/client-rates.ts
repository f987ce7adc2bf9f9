import type { Admission } from '../../model/traffic.ts';

/** In each of two generations; all of them take some 10 MB. */
const MOST_CLIENTS = 32_768;

/**
 * A token bucket for each environment and client. It is kept as the one number that says all of it:
 * when the bucket is full again. A full one is the same as none, and forgotten.
 *
 * Clients are kept in two generations, and whoever is heard of moves into the young one. The old one
 * is dropped whole: when all its buckets are full, or when there are too many clients; those it held
 * have their bursts again then. So forgetting costs the same however many there are.
 */
export class ClientRates {
  private young = new Generation();
  private old = new Generation();

  /**
   * Takes a token.
   *
   * @param client as it is counted
   * @returns 0 if there was one, else the whole seconds until there is
   */
  take(
    environment: string,
    client: string,
    { requestsPerSecond, burst }: NonNullable<Admission['perClient']>,
    nowMs: number,
  ): number {
    const key = `${environment} ${client}`;
    const tokenMs = 1_000 / requestsPerSecond;
    const emptyMs = burst * tokenMs;
    const known = this.young.fullAtMs.get(key) ?? this.old.fullAtMs.get(key) ?? nowMs;
    // No emptier than empty, whatever the rate was when it was last looked at.
    const before = Math.max(nowMs, Math.min(known, nowMs + emptyMs));
    const after = before + tokenMs;
    const missingMs = after - nowMs - emptyMs;
    // In floating point, the last token of a burst may seem to be a hair short.
    const passes = missingMs <= tokenMs * 1e-6;
    this.young.set(key, passes ? after : before);
    if (this.young.fullAtMs.size >= MOST_CLIENTS) this.turn();
    return passes ? 0 : Math.max(1, Math.ceil(missingMs / 1_000));
  }

  /** Forgets full buckets; to be called now and then. */
  sweep(nowMs: number): void {
    if (this.size > 0 && this.old.allFullAtMs <= nowMs) this.turn();
  }

  /** Buckets that are kept. */
  get size(): number {
    return this.young.fullAtMs.size + this.old.fullAtMs.size;
  }

  private turn(): void {
    this.old = this.young;
    this.young = new Generation();
  }
}

class Generation {
  /** Monotonic, by environment and client. */
  readonly fullAtMs = new Map<string, number>();
  allFullAtMs = 0;

  set(key: string, fullAtMs: number): void {
    this.fullAtMs.set(key, fullAtMs);
    if (fullAtMs > this.allFullAtMs) this.allFullAtMs = fullAtMs;
  }
}
