import { parseDuration } from '../config/duration.ts';
import { Fault } from '../kernel/fault.ts';
import { MINUTES_KEPT_MS, SECONDS_KEPT_MS } from '../model/metrics.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { showLive } from './live-screen.ts';
import { metricsLine, renderMetrics, type Shown } from './metrics-text.ts';
import { badOption, countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { chooseEnvironment, commandFor, type Where } from './where.ts';

interface ShowOptions extends EnvironmentOptions {
  instance?: string;
  minutes?: number;
  since?: number;
  follow?: boolean;
}

const MINUTE_MS = 60_000;
const DEFAULT_LAST_MS = 5 * MINUTE_MS;
const INTERVAL_MS = 1_000;
/** A daemon that is restarted is back within seconds. */
const PATIENCE_MS = 30_000;

const showCommand = command<ShowOptions>({
  name: 'show',
  summary: 'charts of what an environment or an instance did',
  description:
    'Draws requests, latency, 5xx, what is in flight, CPU, memory and the number of instances: by the second for up to 15 minutes, by the minute for up to a month. A chart begins at 0; a gap is what was not measured.',
  options: [
    ...environmentOptions,
    { flags: '-i, --instance <id>', description: 'one instance, by the second' },
    {
      flags: '--minutes <n>',
      description: 'the last so many minutes (default: 5)',
      parse: countOption('--minutes', 1),
    },
    { flags: '--since <duration>', description: 'the last 1h, 1d, 31d', parse: sinceOption },
    { flags: '-f, --follow', description: 'go on every second; q quits' },
  ],
  examples: [
    ['belay metrics --follow', 'the last five minutes, live'],
    ['belay metrics --since 1d', 'a day, by the minute'],
    ['belay metrics -i i-0a1b2c3d --json', 'one instance, for a script'],
  ],
  async run(context, options) {
    const view = await viewer(context, options);
    if (options.follow) return follow(context, view);
    const shown = await view.read();
    answer(context, shown, () =>
      renderMetrics(shown, view.span(), widthOf(context), context.stdout.paint),
    );
    return exitCodes.ok;
  },
});

const reportCommand = command<EnvironmentOptions>({
  name: 'report',
  summary: "report a number of the app's own",
  description:
    'Reports a number to scale by, such as the jobs that wait for the whole environment. It holds for two minutes; after them it is missing, and nothing is scaled in by its policy until it is reported again.',
  arguments: [
    { syntax: '<NAME>', description: 'as its policy calls it, as in: backlog' },
    { syntax: '<VALUE>', description: 'a number from 0 on' },
  ],
  options: environmentOptions,
  examples: [['belay metrics report backlog 1200', 'from a job that runs every minute']],
  async run(context, options, [name = '', text = '']) {
    const value = /^\d/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) {
      throw new InputFault({
        code: 'bad-metric',
        message: `VALUE is '${text}', which is not a number from 0 on`,
        subject: name,
        hint: 'write it in digits, as in 1200 or 0.5',
      });
    }
    const where = await chooseEnvironment(context, options);
    const body = { name, value };
    const { reported } = await context.client().call('reportMetric', { params: where, body });
    answer(context, { reported }, () => [
      `${name} is ${value} for two minutes; see it with: ${commandFor('metrics', where)}`,
    ]);
    return exitCodes.ok;
  },
});

export const metricsFamily: CommandFamily = {
  name: 'metrics',
  summary: 'charts of requests, latency, CPU and memory; report a number',
  description:
    'Draws what an environment did when nothing else is said: how, is in belay metrics show --help.',
  commands: [showCommand, reportCommand],
  fallback: 'show',
};

/** What is asked for again and again. */
interface Viewer {
  read(): Promise<Shown>;
  span(): { now: number; lastMs: number };
}

async function viewer(context: Context, options: ShowOptions): Promise<Viewer> {
  const lastMs = lastOf(options);
  const where: Where = await chooseEnvironment(context, options);
  const { instance } = options;
  const query = { lastMs };
  return {
    span: () => ({ now: context.clock.now(), lastMs }),
    read: () =>
      instance === undefined
        ? context.client().call('metrics', { params: where, query })
        : context.client().call('instanceMetrics', { params: { ...where, instance }, query }),
  };
}

/** @throws `bad-usage` */
function lastOf({ minutes, since, instance }: ShowOptions): number {
  if (minutes !== undefined && since !== undefined) {
    throw badOption('--minutes', 'and --since say the same twice', 'give one of them');
  }
  const lastMs = since ?? (minutes === undefined ? DEFAULT_LAST_MS : minutes * MINUTE_MS);
  const flag = since === undefined ? '--minutes' : '--since';
  if (instance !== undefined && lastMs > SECONDS_KEPT_MS) {
    const hint = 'leave --instance out to see the environment for up to a month';
    throw badOption(flag, 'goes back beyond the 15 minutes that are kept of an instance', hint);
  }
  if (lastMs > MINUTES_KEPT_MS) {
    throw badOption(flag, 'goes back beyond the month that is kept', "write '31d' at most");
  }
  return lastMs;
}

function sinceOption(text: string): number {
  try {
    return parseDuration(text, 1_000, MINUTES_KEPT_MS);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw badOption('--since', thrown.message, thrown.hint);
  }
}

/** Off a terminal nothing has to fit. */
const widthOf = ({ stdout }: Context): number =>
  stdout.isTerminal ? stdout.columns : Number.POSITIVE_INFINITY;

async function follow(context: Context, view: Viewer): Promise<number> {
  if (context.stdout.isTerminal && !context.json) return followOnScreen(context, view);
  let lastAt = Number.NEGATIVE_INFINITY;
  for await (const shown of everySecond(context, view, context.interrupt)) {
    if (shown instanceof Fault) continue;
    const fresh = shown.points.filter(({ at }) => at > lastAt);
    // What was there before is told with the first.
    const told = lastAt === Number.NEGATIVE_INFINITY ? fresh.slice(-1) : fresh;
    lastAt = told.at(-1)?.at ?? lastAt;
    for (const point of told) {
      const line = context.json
        ? JSON.stringify(point)
        : metricsLine({ ...shown, points: [point] } as Shown);
      if (line !== null) context.stdout.line(line);
    }
  }
  return exitCodes.interrupted;
}

async function followOnScreen(context: Context, view: Viewer): Promise<number> {
  const { stdout } = context;
  // Before the screen is taken: what is wrong from the start is told where it stays.
  let shown = await view.read();
  let notice = 'q quits';
  return await showLive(
    context,
    () => {
      const lines = renderMetrics(shown, view.span(), stdout.columns, stdout.paint);
      return [...lines, '', stdout.paint.dim(notice)].slice(0, stdout.rows);
    },
    (until) => everySecond(context, view, until),
    (read) => {
      if (!(read instanceof Fault)) shown = read;
      notice = read instanceof Fault ? read.message : 'q quits';
    },
  );
}

/**
 * What is measured, each second; while the daemon is away for a moment, why.
 *
 * @throws what is wrong at the start, or for longer than 30 s
 */
async function* everySecond(
  { clock }: Context,
  view: Viewer,
  until: AbortSignal,
): AsyncGenerator<Shown | Fault> {
  let awaySinceMs: number | null = null;
  yield await view.read();
  while ((await clock.sleep(INTERVAL_MS, until)) === 'elapsed') {
    const read = await view.read().catch((thrown: unknown) => {
      if (thrown instanceof Fault && thrown.retryable) return thrown;
      throw thrown;
    });
    if (until.aborted) return;
    awaySinceMs = read instanceof Fault ? (awaySinceMs ?? clock.monotonic()) : null;
    const isGone = awaySinceMs !== null && clock.monotonic() - awaySinceMs >= PATIENCE_MS;
    if (isGone && read instanceof Fault) throw read;
    yield read;
  }
}
