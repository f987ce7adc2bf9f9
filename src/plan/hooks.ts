import type { HookOutcome, HookRun } from '../model/hook.ts';
import type { Exit } from '../model/instance.ts';
import type { Step } from '../model/step.ts';
import type { Observation, ObservedHook } from './observation.ts';

/**
 * The hooks of a deployment: one at a time, each a slot that is expected to end, with a deadline.
 * Level-based as everything here: what was begun in an earlier life of the daemon is followed to its
 * end, and begun again only where its program was never let go.
 */
export interface HookPlan {
  step: Step | null;
  wakeAt: number | null;
}

const nothing: HookPlan = { step: null, wakeAt: null };

/** Ends what runs, and begins what comes before the first launch. */
export function planHooks(observation: Observation, now: number): HookPlan {
  const { hooks } = observation;
  const isGoing = goesOn(observation);
  const running = hooks.find(({ state }) => state === 'running');
  if (running) return isGoing ? follow(running, now) : end(running, 'stopped', 'no longer wanted');
  if (!isGoing || hooks.some(({ state }) => state === 'failed')) return nothing;
  const next = hooks.find(({ state }) => state === 'due');
  return next && next.hook !== 'postdeploy' ? begin(next) : nothing;
}

/** Begins what comes when the new fleet serves; null when there is no such hook, or it has begun. */
export function beginPostdeploy({ hooks }: Pick<Observation, 'hooks'>): Step | null {
  const run = hooks.find(({ hook, state }) => hook === 'postdeploy' && state === 'due');
  return run ? begin(run).step : null;
}

function goesOn({ environment, deployment }: Observation): boolean {
  const isEnding = environment.status === 'terminating';
  return deployment?.state === 'running' && !deployment.aborted && !isEnding;
}

function begin(run: ObservedHook): HookPlan {
  if (run.image === 'there') return end(run, 'kept', 'this version was built before');
  if (run.image === 'elsewhere') return nothing;
  return { step: { kind: 'run-hook', hook: run.hook, reason: reasons[run.hook] }, wakeAt: null };
}

const reasons: Readonly<Record<HookRun['hook'], string>> = {
  build: 'this version was not built yet',
  migrate: 'before any instance starts',
  postdeploy: 'every instance of the new release serves',
};

function follow(run: ObservedHook, now: number): HookPlan {
  if (run.image === 'there') return end(run, 'passed', 'its image is there');
  const deadline = (run.startedAt ?? now) + run.timeoutMs;
  if (run.slot?.exit) return conclude(run, run.slot.exit, now >= deadline);
  if (now >= deadline) return end(run, 'failed', overdue(run));
  // Written down, but not let go before the daemon ended.
  if (run.slot === null) return begin(run);
  return { step: null, wakeAt: deadline };
}

function conclude(run: ObservedHook, exit: Exit, isOverdue: boolean): HookPlan {
  if (exit.code !== 0) return end(run, 'failed', `${run.hook} ${exit.cause}`);
  if (run.image === null) return end(run, 'passed', exit.cause);
  if (isOverdue) return end(run, 'failed', overdue(run));
  return { step: { kind: 'keep-image', hook: 'build', reason: exit.cause }, wakeAt: null };
}

const overdue = ({ hook, timeoutMs }: HookRun): string =>
  `${hook} was not done within ${timeoutMs / 1000} s`;

const end = ({ hook }: HookRun, outcome: HookOutcome, reason: string): HookPlan => ({
  step: { kind: 'end-hook', hook, outcome, reason },
  wakeAt: null,
});
