import { Fault } from '../kernel/fault.ts';
import type { TrafficReading } from '../model/view.ts';
import { command } from './command.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { showLive } from './live-screen.ts';
import { appOption } from './options.ts';
import { noHistory, remember } from './top-history.ts';
import { type Rates, ratesBetween } from './top-rates.ts';
import { type Frame, renderTop } from './top-screen.ts';

interface TopOptions {
  app?: string;
  environment?: string;
  once?: boolean;
}

const INTERVAL_MS = 1_000;
/** A daemon that is restarted is back within seconds. */
const PATIENCE_MS = 30_000;

export const topCommand = command<TopOptions>({
  name: 'top',
  summary: 'requests, latency and health of every instance, live',
  description:
    'Shows what passes, second by second: requests, latency and errors of every environment and every instance. q quits. Off a terminal it prints one second and ends.',
  options: [
    { ...appOption, description: 'one application; all when left out' },
    { flags: '-e, --environment <name>', description: 'one environment; all when left out' },
    { flags: '--once', description: 'one second, and end' },
  ],
  examples: [
    ['belay top', 'live'],
    ['belay top --json | head -n 60', 'a minute of figures, one line a second'],
  ],
  async run(context, options) {
    const isLive = context.stdout.isTerminal && !options.once && !context.json;
    if (isLive) return watch(context, options);
    for await (const rates of ratesEverySecond(context, options, context.interrupt)) {
      if (rates instanceof Fault) continue;
      if (context.json) context.stdout.line(JSON.stringify(rates));
      else for (const line of renderTop(wholeFrame(context, rates))) context.stdout.line(line);
      if (options.once || !context.json) return exitCodes.ok;
    }
    return exitCodes.interrupted;
  },
});

/** Off a terminal nothing has to fit. */
const wholeFrame = ({ stdout }: Context, rates: Rates): Frame => ({
  rates,
  history: remember(noHistory(rates.at), rates),
  notice: '',
  columns: Number.POSITIVE_INFINITY,
  rows: Number.POSITIVE_INFINITY,
  paint: stdout.paint,
});

async function watch(context: Context, options: TopOptions): Promise<number> {
  const { stdout, clock } = context;
  // Before the screen is taken: what is wrong from the start is told where it stays.
  const first = await context.client().call('traffic');
  let history = noHistory(clock.now());
  let shown = chosen(ratesBetween(first, first), options);
  let notice = 'measuring …';
  return await showLive(
    context,
    () => {
      const { columns, rows, paint } = stdout;
      return renderTop({ rates: shown, history, notice, columns, rows, paint });
    },
    (until) => ratesEverySecond(context, options, until, first),
    (rates) => {
      if (rates instanceof Fault) {
        notice = rates.message;
        return;
      }
      shown = rates;
      history = remember(history, rates);
      notice = '';
    },
  );
}

/**
 * What passed, each second; while the daemon or the edge is away for a moment, why.
 *
 * @throws what is wrong at the start, or for longer than 30 s
 */
async function* ratesEverySecond(
  context: Context,
  options: TopOptions,
  until: AbortSignal,
  first?: TrafficReading,
): AsyncGenerator<Rates | Fault> {
  const { clock } = context;
  let earlier = first ?? (await context.client().call('traffic'));
  let awaySince: number | null = null;
  let next = clock.monotonic() + INTERVAL_MS;
  while ((await clock.sleep(Math.max(0, next - clock.monotonic()), until)) === 'elapsed') {
    next = clock.monotonic() + INTERVAL_MS;
    const later = await readTraffic(context);
    if (until.aborted) return;
    if (later instanceof Fault) {
      awaySince ??= clock.monotonic();
      if (clock.monotonic() - awaySince >= PATIENCE_MS) throw later;
      yield later;
      continue;
    }
    awaySince = null;
    yield chosen(ratesBetween(earlier, later), options);
    earlier = later;
  }
}

/** The reading, or the Fault that says who is away. */
async function readTraffic(context: Context): Promise<TrafficReading | Fault> {
  try {
    return await context.client().call('traffic');
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.retryable) return thrown;
    throw thrown;
  }
}

function chosen(rates: Rates, { app, environment }: TopOptions): Rates {
  const environments = rates.environments.filter(
    (each) =>
      (app === undefined || each.application === app) &&
      (environment === undefined || each.environment === environment),
  );
  return { ...rates, environments };
}
