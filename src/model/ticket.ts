import { stateMachine } from '../kernel/state-machine.ts';
import type { Configuration, Variables } from './configuration.ts';
import type { EnvironmentKey } from './environment.ts';
import type { SizeName } from './size.ts';

/** What somebody asks for, before it is a deployment. */
export type DeploymentRequest =
  | {
      kind: 'deploy';
      configuration: Configuration;
      /** Null for a fixed address. */
      version: VersionSource | null;
      /** Without a change to deploy: go through with it, or do nothing. */
      unchanged: 'deploy' | 'skip';
    }
  | { kind: 'rollback'; to: string | number | null }
  | { kind: 'restart' }
  | { kind: 'env'; set: Variables; unset: readonly string[] }
  /** Null: the configuration's own. */
  | { kind: 'resize'; size: SizeName | null };

/** The bundle a version is made of, and where it came from. */
export interface VersionSource {
  digest: string;
  files: number;
  sizeBytes: number;
  author: string | null;
  commit: string | null;
}

/**
 * A place in the queue of an environment.
 *
 * waiting    its turn, or the window, has not come
 * started    it has become a deployment
 * refused    when its turn came it could not be done, or there was nothing to do
 * replaced   a newer deploy has taken its place
 * cancelled  somebody did not want it any more, or the environment is gone
 */
export type TicketState = 'waiting' | 'started' | 'refused' | 'replaced' | 'cancelled';

export const ticketMachine = stateMachine<TicketState>('ticket', {
  waiting: ['started', 'refused', 'replaced', 'cancelled'],
  started: [],
  refused: [],
  replaced: [],
  cancelled: [],
});

export interface Ticket {
  environment: EnvironmentKey;
  /** Numbered per environment from 1, apart from deployments: what waits may never become one. */
  number: number;
  request: DeploymentRequest;
  by: string | null;
  message: string | null;
  /** Advice and windows do not stop it. */
  force: boolean;
  askedAt: number;
  state: TicketState;
  /** Why it did not start; null otherwise. */
  reason: string | null;
  /** The number of the deployment it became. */
  deployment: number | null;
  endedAt: number | null;
}
