import { Fault } from '../kernel/fault.ts';
import type { EnvironmentView } from '../model/view.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import { liveLine } from './live-line.ts';
import { formatPlural } from './quantity.ts';
import { listEnvironments, type Where } from './where.ts';

/** The end of environments: the question before it, and the wait for it. */

const POLL_MS = 200;

export const nameOf = ({ application, environment }: Where): string =>
  `${application}/${environment}`;

export interface Question {
  /** What will happen, as a sentence without its end: `This stops shop/staging`. */
  what: string;
  /** What must be typed. */
  word: string;
  /** The flag that goes without the question. */
  flag: string;
}

/** Goes on only when the word is typed. @throws `confirmation-needed`, `not-confirmed` */
export async function askForWord(context: Context, { what, word, flag }: Question): Promise<void> {
  if (!context.stdin.isTTY || !context.stderr.isTerminal) {
    throw new InputFault({
      code: 'confirmation-needed',
      message: `${what}, and there is no terminal to ask on`,
      hint: `to go on without a question, add ${flag}`,
    });
  }
  const { isCancel, text } = await import('@clack/prompts');
  const typed = await text({
    message: `${what}. Type ${word} to go on`,
    signal: context.interrupt,
    input: context.stdin,
    output: context.stderr.stream,
  });
  if (!isCancel(typed) && typed === word) return;
  throw new Fault({
    code: 'not-confirmed',
    message: 'nothing was stopped: the name was not typed',
    hint: `type ${word} when asked, or add ${flag}`,
  });
}

/** Drains and stops them; returns when nothing of them is left. @throws `timed-out` */
export async function terminate(
  context: Context,
  going: readonly Where[],
  timeoutMs: number,
): Promise<'gone' | 'interrupted'> {
  for (const where of going) await context.client().call('terminate', { params: where, body: {} });
  return await waitUntilGone(context, going, timeoutMs);
}

export const terminatedLines = (context: Context, gone: readonly Where[]): string[] =>
  gone.map((where) => `${context.stdout.paint.green('✓')} ${nameOf(where)} is terminated.`);

async function waitUntilGone(
  context: Context,
  going: readonly Where[],
  timeoutMs: number,
): Promise<'gone' | 'interrupted'> {
  const { clock, interrupt, stderr } = context;
  const deadline = clock.monotonic() + timeoutMs;
  const live = liveLine(stderr);
  const names = new Set(going.map(nameOf));
  try {
    for (;;) {
      const left = (await listEnvironments(context, {})).filter((view) => names.has(nameOf(view)));
      if (left.length === 0) return 'gone';
      live.show(`  ${stderr.paint.dim(remaining(left))}`);
      if (clock.monotonic() >= deadline) throw timedOut(left);
      if ((await clock.sleep(POLL_MS, interrupt)) === 'aborted') return 'interrupted';
    }
  } finally {
    live.clear();
  }
}

function remaining(left: readonly EnvironmentView[]): string {
  const instances = left.reduce((total, view) => total + view.instances.length, 0);
  return `draining and stopping ${formatPlural(instances, 'instance')} …`;
}

function timedOut(left: readonly EnvironmentView[]): Fault {
  return new Fault({
    code: 'timed-out',
    message: `${left.map(nameOf).join(', ')} did not end in time; it goes on`,
    hint: 'see what is left with: belay status',
    retryable: true,
  });
}
