import type { Verdict } from './deployment.ts';
import type { Step } from './step.ts';

/** What a deployment would do if it were started now, as far as that can be told before. */
export interface Forecast {
  /** In order; instances that are still to be made are `new-1`, `new-2` … */
  steps: ForecastStep[];
  /** Null when it was not told to its end. */
  verdict: Verdict | null;
  /** Why it would not succeed; null otherwise. */
  cause: string | null;
  totalMs: number;
}

export interface ForecastStep {
  /** After the start. */
  atMs: number;
  step: Step;
}

/** What speaks against a policy in an environment as it is now. */
export interface Concern {
  code:
    | 'fixed-address'
    | 'outage'
    | 'too-little-memory'
    | 'memory-overcommitted'
    | 'cpu-overcommitted'
    | 'too-little-traffic'
    | 'starts-too-slowly'
    | 'nothing-to-prove';
  /** An outage, or certainly a rollback: refused unless it is forced. The rest is only said. */
  grave: boolean;
  /** A sentence without its period. */
  what: string;
  /** What to do instead. */
  instead: string;
}
