import { stateMachine } from '../kernel/state-machine.ts';
import type { Capacity, Rollout } from './configuration.ts';
import type { EnvironmentKey } from './environment.ts';
import type { HookRun } from './hook.ts';
import type { LedgerReading } from './ledger.ts';
import type { Receipt } from './receipt.ts';

/**
 * A durable operation that moves an environment from one release to another.
 *
 * running       towards the new release
 * rolling-back  towards the old one, because it failed or was aborted; with no old one, to nothing
 * succeeded     the fleet runs the new release
 * rolled-back   it failed; the fleet runs the old release
 * aborted       somebody stopped it; the fleet runs the old release
 * failed        it failed, and there was no release to go back to, or going back failed too
 */
export type DeploymentState =
  | 'running'
  | 'rolling-back'
  | 'succeeded'
  | 'rolled-back'
  | 'aborted'
  | 'failed';

export type Verdict = Exclude<DeploymentState, 'running' | 'rolling-back'>;

export const deploymentMachine = stateMachine<DeploymentState>('deployment', {
  running: ['succeeded', 'rolling-back'],
  'rolling-back': ['rolled-back', 'aborted', 'failed'],
  succeeded: [],
  'rolled-back': [],
  aborted: [],
  failed: [],
});

export type DeploymentKind = 'deploy' | 'rollback' | 'restart' | 'env' | 'resize' | 'rebuild';

/** The new release has had this share of the traffic since then. */
export interface DeploymentStage {
  percent: number;
  since: number;
}

/** What the slowest instance of the new release took to come into service. */
export interface BootCost {
  bootMs: number;
  /** Of it, its bootstrap; null where it has none. */
  bootstrapMs: number | null;
}

/** Who asked for a deployment, and how. */
export interface Asked {
  /** A user's name on this machine; null where nobody said. */
  by: string | null;
  /** Why, in the words of who asked. */
  message: string | null;
  /** What spoke against it and was overridden, each a sentence. */
  overrides: readonly string[];
}

export const ASKED_BY_NOBODY: Asked = { by: null, message: null, overrides: [] };

export interface Deployment extends Asked {
  environment: EnvironmentKey;
  /** Numbered per environment from 1. */
  number: number;
  kind: DeploymentKind;
  /** The release it leaves; null for the first. */
  from: number | null;
  to: number;
  rollout: Rollout;
  state: DeploymentState;
  /** Why it went back or failed; null otherwise. */
  cause: string | null;
  /** The last lines of the log of the instance that caused it. */
  logTail: string[];
  /** How far the traffic has moved by weight; null where it moves with the instances. */
  stage: DeploymentStage | null;
  /** In the order in which they are run; empty where there are none. */
  hooks: HookRun[];
  /** Null before it has ended, and where no instance was started. */
  boot: BootCost | null;
  /** Somebody asked to go on without a judgement. */
  promoted: boolean;
  /** Somebody asked for it to stop. */
  aborted: boolean;
  startedAt: number;
  /** When it turned back, null if it did not. */
  turnedAt: number | null;
  endedAt: number | null;
  /** The environment's capacity before it, restored when it goes back. */
  capacityBefore: Capacity;
  /** The ledger as it stood at the start; null while the edge could not be read. */
  ledgerAtStart: LedgerReading | null;
  receipt: Receipt | null;
}

export const isRunning = (deployment: Pick<Deployment, 'state'>): boolean =>
  !deploymentMachine.isFinal(deployment.state);
