import type { SparseHistogram } from '../kernel/histogram.ts';
import { stateMachine } from '../kernel/state-machine.ts';

/**
 * The health of a target in a pool, with ALB's states and reasons.
 *
 * initial    registered, not yet passed a check; never routed to
 * healthy    routed to
 * unhealthy  failed its checks; routed to only when a whole pool is (fail-open)
 * draining   being taken out
 * unused     standby: checked, not routed to
 */
export type TargetHealth = 'initial' | 'healthy' | 'unhealthy' | 'draining' | 'unused';

export const targetMachine = stateMachine<TargetHealth>('target', {
  initial: ['healthy', 'unhealthy', 'draining', 'unused'],
  healthy: ['unhealthy', 'draining', 'unused'],
  unhealthy: ['healthy', 'draining', 'unused'],
  draining: ['healthy', 'unhealthy', 'unused'],
  unused: ['initial', 'healthy', 'unhealthy', 'draining'],
});

export type TargetReason =
  | 'Elb.RegistrationInProgress'
  | 'Elb.InitialHealthChecking'
  | 'Target.ResponseCodeMismatch'
  | 'Target.Timeout'
  | 'Target.FailedHealthChecks'
  | 'Target.NotInUse'
  | 'Target.DeregistrationInProgress';

export interface TargetStatus {
  id: string;
  pool: string;
  health: TargetHealth;
  /** ALB's reason code; null when healthy. */
  reason: TargetReason | null;
  /** The same for a person: `answered 500 to GET /healthz`. Empty when healthy. */
  description: string;
  /** When it came into this health, milliseconds since the epoch. */
  since: number;
  /** Requests inside it now, over all workers. */
  inFlight: number;
  /** Upgraded connections through it now. */
  tunnels: number;
  /** Why workers leave it out for a while although it passes its checks; null when none does. */
  ejection: string | null;
  /** What its deep check says; null when there is none, or none has ended yet. */
  deep: DeepReport | null;
  /** Since when its deep check fails without a pass between; left out while it does not. */
  deepFailingSince?: number;
  /** Of a standby one alone: whether it would be healthy if it were routed to. */
  standby?: StandbyHealth;
}

export interface StandbyHealth {
  /** As its checks have it; `initial`: it has not passed one yet. */
  condition: 'initial' | 'healthy' | 'unhealthy';
  /** When it came into this condition, milliseconds since the epoch. */
  since: number;
}

/** What an instance says of what it depends on. */
export interface DeepReport {
  passed: boolean;
  /** The same for a person: `database: connection refused`. Empty when it passed. */
  description: string;
  /** Empty when the answer names none. */
  parts: { name: string; passed: boolean; detail: string }[];
}

/** One that fails, for a person: `database: connection refused`. */
export const partSentence = ({ name, detail }: { name: string; detail: string }): string =>
  detail === '' ? `${name} fails` : `${name}: ${detail}`;

/**
 * What has passed through one target since it came into the routing state. Cumulative, but kept in
 * memory alone: a worker that is killed takes with it what was not read before, and a supervisor
 * that is what earlier workers had counted, so that a reading may be lower than the one before.
 * What must never be lost is in the ledger.
 */
export interface TargetTraffic {
  pool: string;
  id: string;
  /** Those that were last with it, and upgraded connections that have ended. */
  requests: number;
  /**
   * Of Belay's own, which the control plane adds where a release is judged: no edge tells any. Their
   * errors and latencies are with the others.
   */
  probes?: number;
  /** The app's own 5xx. */
  appErrors: number;
  /** Lost or cut. */
  failures: number;
  /** Microseconds, upgrades excluded; to 6 %, because there is one for every target. */
  latency: SparseHistogram;
}
