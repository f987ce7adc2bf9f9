import { stateMachine } from '../kernel/state-machine.ts';
import type { EnvironmentKey } from './environment.ts';
import type { InstanceWait } from './instance-wait.ts';

/**
 * One running copy of a release.
 *
 * pending      started, not yet healthy
 * in-service   takes traffic
 * draining     takes no new request; what is open may finish
 * standby      runs without a route, kept so that it can return: warm, or by somebody's wish
 * warmed       started ahead of need, never yet routed
 * terminating  told to stop
 * terminated   gone; the record stays for its logs and its cause
 */
export type InstanceState =
  | 'pending'
  | 'in-service'
  | 'draining'
  | 'standby'
  | 'warmed'
  | 'terminating'
  | 'terminated';

/** Any live state may go to `terminated`: processes die without asking. */
export const instanceMachine = stateMachine<InstanceState>('instance', {
  pending: ['in-service', 'warmed', 'terminating', 'terminated'],
  'in-service': ['draining', 'terminated'],
  draining: ['in-service', 'standby', 'terminating', 'terminated'],
  standby: ['in-service', 'terminating', 'terminated'],
  warmed: ['in-service', 'terminating', 'terminated'],
  terminating: ['terminated'],
  terminated: [],
});

/** How an instance's program ended, in words a person uses. */
export interface Exit {
  code: number | null;
  signal: string | null;
  /** `exited with code 1`, `killed by SIGKILL`, `wrote more than 50 MB of log a second`. */
  cause: string;
  at: number;
}

/**
 * What somebody has asked of an instance; holds until it is done or taken back.
 *
 * standby  to leave service and be kept, until it is asked to come back
 * resume   to come back from standby
 * replace  to end, and not before another serves in its place; so do sick ones, once they drain
 */
export type InstanceWish =
  /** `lowersDesired`: nothing takes its place; desired went down by one for it. */
  { kind: 'standby'; lowersDesired: boolean } | { kind: 'resume' } | { kind: 'replace' };

export interface Instance {
  id: string;
  environment: EnvironmentKey;
  release: number;
  zone: string;
  state: InstanceState;
  /** Why it is in this state: the reason of the step that put it there. */
  reason: string;
  createdAt: number;
  /** When it came into the state it is in. */
  since: number;
  /** When it first served, null before. */
  inServiceAt: number | null;
  /** Draining: the first snapshot without its route. */
  unroutedBy: number | null;
  exit: Exit | null;
  /** Scale-in passes it over. Left out: it does not. */
  isProtected?: boolean;
  /** Left out: nobody has asked for anything. */
  wish?: InstanceWish;
  /** Started for the warm pool: checked, and not routed to, from its start. Left out: for service. */
  warming?: boolean;
  /** When it first passed its check, where it did not come into service then. Left out: it did. */
  passedAt?: number;
  /** What it waits for, or has waited for last; left out: nothing. */
  wait?: InstanceWait;
}

export const isLive = (instance: Pick<Instance, 'state'>): boolean =>
  !instanceMachine.isFinal(instance.state);
