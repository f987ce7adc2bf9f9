import { Fault } from '../kernel/fault.ts';
import type { EnvironmentView } from '../model/view.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { liveLine } from './live-line.ts';
import {
  defaultTimeoutMs,
  type EnvironmentOptions,
  environmentOptions,
  timeoutOption,
} from './options.ts';
import { formatPlural } from './quantity.ts';
import { chooseEnvironment, listEnvironments, type Where } from './where.ts';

interface DownOptions extends EnvironmentOptions {
  all?: boolean;
  yes?: boolean;
  timeout?: number;
}

const POLL_MS = 200;

export const downCommand = command<DownOptions>({
  name: 'down',
  summary: 'drain and stop an environment',
  description:
    'Drains and stops every instance of an environment and gives up its names; returns when it is done. Versions, releases and logs stay: belay up brings it back. Asks first.',
  options: [
    ...environmentOptions,
    {
      flags: '--all',
      description: 'every environment of every application (with --app: of that one)',
    },
    { flags: '-y, --yes', description: 'do not ask' },
    timeoutOption,
  ],
  examples: [
    ['belay down', "this directory's application, after asking"],
    ['belay down --all --yes', 'everything, at once'],
  ],
  async run(context, options) {
    const going = await chooseGoing(context, options);
    if (going.length > 0 && !options.yes) await confirm(context, going, options.all === true);
    for (const where of going)
      await context.client().call('terminate', { params: where, body: {} });
    const end = await waitUntilGone(context, going, options.timeout ?? defaultTimeoutMs);
    if (end === 'interrupted') return exitCodes.interrupted;
    answer(context, { terminated: going }, () => {
      const { paint } = context.stdout;
      if (going.length === 0) return ['Nothing runs, so there is nothing to stop.'];
      return going.map((where) => `${paint.green('✓')} ${nameOf(where)} is terminated.`);
    });
    return exitCodes.ok;
  },
});

async function chooseGoing(context: Context, options: DownOptions): Promise<Where[]> {
  if (!options.all) {
    const where = await chooseEnvironment(context, options);
    // Refuses a name that is not there before anybody is asked about it.
    await context.client().call('environment', { params: where });
    return [where];
  }
  const found = await listEnvironments(
    context,
    options.app === undefined ? {} : { app: options.app },
  );
  return found.map(({ application, environment }) => ({ application, environment }));
}

/** @throws `confirmation-needed`, `not-confirmed` */
async function confirm(context: Context, going: readonly Where[], all: boolean): Promise<void> {
  const [first] = going;
  const name = all || !first ? 'all' : nameOf(first);
  if (!context.stdin.isTTY || !context.stderr.isTerminal) {
    throw new InputFault({
      code: 'confirmation-needed',
      message: 'down stops what runs, and there is no terminal to ask on',
      subject: going.map(nameOf).join(', '),
      hint: 'to go on without a question, add --yes',
    });
  }
  const { isCancel, text } = await import('@clack/prompts');
  const typed = await text({
    message: `This stops ${going.map(nameOf).join(', ')}. Type ${name} to go on`,
    signal: context.interrupt,
    input: context.stdin,
    output: context.stderr.stream,
  });
  if (!isCancel(typed) && typed === name) return;
  throw new Fault({
    code: 'not-confirmed',
    message: 'nothing was stopped: the name was not typed',
    hint: `type ${name} when asked, or add --yes`,
  });
}

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

const nameOf = ({ application, environment }: Where): string => `${application}/${environment}`;
