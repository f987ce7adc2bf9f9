import type { HookName, HookOutcome } from './hook.ts';
import type { LifecycleTurn } from './instance-wait.ts';

/**
 * What a plan asks for: data with a reason, safe to perform twice. The journal keeps every step
 * before it is performed.
 */
export type Step =
  | {
      kind: 'launch';
      instance: string;
      release: number;
      zone: string;
      reason: string;
      /** For the warm pool. */
      warm?: true;
    }
  | { kind: 'warm'; instance: string; reason: string }
  | { kind: 'wait'; instance: string; turn: LifecycleTurn; reason: string }
  | { kind: 'admit'; instance: string; reason: string }
  /** `final`: it is sick, and does not come back. */
  | { kind: 'retire'; instance: string; reason: string; final?: true }
  | { kind: 'hold'; instance: string; reason: string }
  | {
      kind: 'terminate';
      instance: string;
      reason: string;
      /** It counts as one that ended by itself: it was never any good. */
      failed?: true;
    }
  | { kind: 'bury'; instance: string; reason: string }
  | { kind: 'shift'; percent: number; reason: string }
  | { kind: 'turn-back'; instance: string | null; reason: string }
  | { kind: 'settle'; verdict: 'succeeded' | 'rolled-back' | 'aborted' | 'failed'; reason: string }
  | { kind: 'run-hook'; hook: HookName; reason: string }
  | { kind: 'keep-image'; hook: 'build'; reason: string }
  | { kind: 'end-hook'; hook: HookName; outcome: HookOutcome; reason: string }
  | { kind: 'terminated'; reason: string };

/** One step as the journal keeps it. */
export interface JournalEntry {
  id: number;
  environment: string;
  /** The deployment it belongs to; null for healing and scaling. */
  deployment: number | null;
  step: Step;
  /** `interrupted`: the daemon ended before it could say how the step went. */
  state: 'planned' | 'done' | 'failed' | 'interrupted';
  plannedAt: number;
  endedAt: number | null;
  error: string | null;
}
