import type { JournalEntry } from '../model/step.ts';
import type { DeploymentDetail } from '../model/view.ts';
import type { Context } from './context.ts';
import { liveLine } from './live-line.ts';
import { formatDuration } from './quantity.ts';
import { renderCurrent, renderStep } from './step-text.ts';

/** Shows a deployment as it goes: a line for every step that ended, and what is being done now. */
export interface Progress {
  update(deployment: DeploymentDetail): void;
  /** The daemon does not answer; what it started goes on. */
  away(awayMs: number): void;
  close(): void;
}

const SPINNER = ['◐', '◓', '◑', '◒'];

export function stepProgress(context: Context): Progress {
  const { paint } = context.stderr;
  const live = liveLine(context.stderr);
  const printed = new Set<number>();
  let turns = 0;
  let toldAway = false;

  const show = (text: string) => {
    turns += 1;
    live.show(`  ${paint.cyan(SPINNER[turns % SPINNER.length] ?? '')} ${paint.dim(text)}`);
  };

  return {
    update(deployment) {
      toldAway = false;
      for (const entry of deployment.steps) {
        if (entry.state === 'planned' || isVerdict(entry) || printed.has(entry.id)) continue;
        printed.add(entry.id);
        live.print(renderStep(entry, deployment.startedAt, paint));
      }
      const current = deployment.steps.findLast(({ state }) => state === 'planned');
      const elapsed = formatDuration(context.clock.now() - deployment.startedAt);
      const doing = current ? renderCurrent(current) : waitingFor(deployment);
      show(`${doing} · ${elapsed}`);
    },
    away(awayMs) {
      if (!toldAway) live.print(paint.yellow('  The daemon does not answer; trying again …'));
      toldAway = true;
      show(`waiting for the daemon · ${formatDuration(awayMs)}`);
    },
    close: () => live.clear(),
  };
}

/** The verdict is told at the end, in a sentence. */
const isVerdict = ({ step }: JournalEntry): boolean =>
  step.kind === 'settle' || step.kind === 'terminated';

function waitingFor({ state, steps, stage, to, hooks }: DeploymentDetail): string {
  if (state === 'rolling-back') return 'going back';
  const hook = hooks.find((run) => run.state === 'running');
  if (hook) return `running ${hook.hook}`;
  if (stage !== null && stage.percent < 100) {
    return `judging release ${to} by ${stage.percent} % of the traffic`;
  }
  const last = steps.at(-1)?.step;
  switch (last?.kind) {
    case 'wait':
      return `waiting for: belay instance continue ${last.instance}`;
    case undefined:
      return 'planning';
    case 'launch':
      return 'waiting for health checks';
    case 'retire':
      return 'waiting for open requests';
    default:
      return 'watching';
  }
}
