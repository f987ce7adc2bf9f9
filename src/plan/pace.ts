import type { HookName } from '../model/hook.ts';
import type { JournalEntry, Step } from '../model/step.ts';

/** How long instances have taken lately, from the journal; null where none has done it. */
export interface Pace {
  /** From the start to service. */
  bootMs: number | null;
  /** From leaving the traffic to the last answer. */
  drainMs: number | null;
  /** From SIGTERM to the end. */
  stopMs: number | null;
}

/** How long things will take, as far as one has to say. */
export interface AssumedPace {
  bootMs: number;
  drainMs: number;
  stopMs: number;
  hookMs: Readonly<Partial<Record<HookName, number>>>;
}

/** What follows a launch when the instance is up; a wait for somebody's word is no part of a boot. */
const comesUp: ReadonlySet<string> = new Set(['admit', 'warm', 'wait'] satisfies Step['kind'][]);

export function paceOf(entries: readonly JournalEntry[]): Pace {
  const begun = new Map<string, { kind: string; at: number }>();
  const took: Record<keyof Pace, number[]> = { bootMs: [], drainMs: [], stopMs: [] };
  for (const { step, plannedAt, endedAt, state } of entries) {
    if (!('instance' in step) || step.instance === null) continue;
    const before = begun.get(step.instance);
    if (comesUp.has(step.kind) && before?.kind === 'launch') {
      took.bootMs.push(plannedAt - before.at);
    }
    if ((step.kind === 'terminate' || step.kind === 'wait') && before?.kind === 'retire') {
      took.drainMs.push(plannedAt - before.at);
    }
    if (step.kind === 'terminate' && state === 'done' && endedAt !== null) {
      took.stopMs.push(endedAt - plannedAt);
    }
    begun.set(step.instance, { kind: step.kind, at: plannedAt });
  }
  return {
    bootMs: median(took.bootMs),
    drainMs: median(took.drainMs),
    stopMs: median(took.stopMs),
  };
}

function median(values: number[]): number | null {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
