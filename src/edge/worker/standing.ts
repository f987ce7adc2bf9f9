import type { Ejection } from '../../model/traffic.ts';
import { Conduct, timesLeftOut } from './ejection.ts';

/** How one target stands with its worker: what it has answered, and whether it is left out for it. */
export class Standing {
  readonly conduct = new Conduct();
  /** Null while it takes part. */
  leftOut: { untilMs: number; description: string } | null = null;
  private times = 0;
  private backSinceMs = 0;

  leaveOut(reason: string, ejection: Ejection, nowMs: number): void {
    this.times = timesLeftOut(this.times, nowMs - this.backSinceMs, ejection);
    const forMs = this.times * ejection.timeMs;
    const description = `${reason}; left out for ${forMs / 1_000} s`;
    this.leftOut = { untilMs: nowMs + forMs, description };
  }

  /** It takes part again, and is judged by what it does from now on. */
  comeBack(nowMs: number): void {
    this.leftOut = null;
    this.backSinceMs = nowMs;
    this.conduct.beginAnew();
  }
}
