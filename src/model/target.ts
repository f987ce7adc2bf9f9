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
}
