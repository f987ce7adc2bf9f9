/** Retries may add this share to a pool's requests; Finagle's and Envoy's default. */
const RETRY_SHARE = 0.2;
/** And so many in any case, so that a quiet pool can retry at all; Finagle's minimum. */
const RETRY_FLOOR_PER_SECOND = 10;
/** What a pool may save up: the floor of ten seconds. */
export const RETRY_BURST = 100;

/** Keeps retries from turning a struggling pool's load into a multiple of itself. */
export class RetryBudget {
  private tokens = RETRY_BURST;
  private filledAtMs: number;

  constructor(nowMs: number) {
    this.filledAtMs = nowMs;
  }

  request(): void {
    if (this.tokens < RETRY_BURST) this.tokens += RETRY_SHARE;
  }

  /** Takes a retry out of the budget; false when there is none left. */
  spend(nowMs: number): boolean {
    const filled = ((nowMs - this.filledAtMs) / 1000) * RETRY_FLOOR_PER_SECOND;
    this.tokens = Math.min(RETRY_BURST, this.tokens + filled);
    this.filledAtMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
