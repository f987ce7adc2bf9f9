import { Fault, systemCode } from '../kernel/fault.ts';
import type { DaemonView } from '../model/view.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { ensureDaemon, findDaemon } from './daemon-start.ts';
import { exitCodes } from './exit-code.ts';
import type { Paint } from './paint.ts';
import { formatDuration } from './quantity.ts';

const STOP_TIMEOUT_MS = 60_000;
const EXIT_TIMEOUT_MS = 2_000;
const POLL_MS = 50;

const startCommand = command({
  name: 'start',
  summary: 'start the daemon, if none runs',
  async run(context) {
    const { view, started } = await ensureDaemon(context);
    answer(context, { ...view, started }, () => [
      started
        ? `The daemon runs, process ${view.pid}.`
        : `A daemon runs already, process ${view.pid}.`,
    ]);
    return exitCodes.ok;
  },
});

const outcomes = {
  alone: 'The daemon is stopped; the edge and what runs go on without it.',
  'with-edge': 'The daemon and the edge are stopped.',
} as const;

const stopCommand = command<{ keepEdge?: boolean }>({
  name: 'stop',
  summary: 'stop the daemon',
  description:
    'Stops the daemon. What runs goes on, with the edge before it; when nothing runs, the edge is stopped too.',
  options: [{ flags: '--keep-edge', description: 'leave the edge alone even when nothing runs' }],
  async run(context, options) {
    const running = await findDaemon(context);
    const outcome = running && (await stopDaemon(context, running, options.keepEdge === true));
    answer(context, { stopped: running !== null, pid: running?.pid ?? null }, () => [
      outcome ? outcomes[outcome] : 'No daemon runs.',
    ]);
    return exitCodes.ok;
  },
});

const statusCommand = command({
  name: 'status',
  summary: 'process ids, listeners and workers; exit code 5 when none runs',
  async run(context) {
    const view = await context.client().call('daemon');
    answer(context, view, () => renderDaemon(view, context));
    return exitCodes.ok;
  },
});

const restartCommand = command({
  name: 'restart',
  summary: 'stop the daemon and start it again; what runs goes on',
  async run(context) {
    const running = await findDaemon(context);
    if (running) await stopDaemon(context, running, true);
    const { view } = await ensureDaemon(context);
    answer(context, view, () => [`The daemon runs again, process ${view.pid}.`]);
    return exitCodes.ok;
  },
});

const upgradeCommand = command({
  name: 'upgrade',
  summary: 'replace the edge by a new generation, without losing a request',
  description:
    'Starts a new generation of the edge on the same listeners, and lets the old one finish what it has. For a new version of Belay: belay daemon restart, then this.',
  async run(context) {
    const view = await context.client().call('upgradeEdge', { body: {} });
    answer(context, view, () => [
      view.edge
        ? `The edge is in generation ${view.edge.generation}, process ${view.edge.pid}.`
        : 'No edge runs.',
    ]);
    return exitCodes.ok;
  },
});

export const daemonFamily: CommandFamily = {
  name: 'daemon',
  summary: 'the process behind it: start, stop, status, restart, upgrade',
  commands: [startCommand, stopCommand, statusCommand, restartCommand, upgradeCommand],
};

/** Returns when its socket is dead and its process is gone. */
async function stopDaemon(
  context: Context,
  { pid }: DaemonView,
  keepEdge: boolean,
): Promise<keyof typeof outcomes> {
  const { environments } = await context.client().call('environments');
  const edge = environments.length === 0 && !keepEdge;
  await askToStop(context, edge);
  if (
    !(await waitWhile(context, STOP_TIMEOUT_MS, async () => (await findDaemon(context)) !== null))
  ) {
    throw stillThere();
  }
  // Its last act is to leave; should its number belong to another process by now, we go on.
  await waitWhile(context, EXIT_TIMEOUT_MS, () => isAlive(pid));
  return edge ? 'with-edge' : 'alone';
}

/** @returns whether it came to an end in time */
async function waitWhile(
  { clock, interrupt }: Context,
  timeoutMs: number,
  goesOn: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const deadline = clock.monotonic() + timeoutMs;
  while (await goesOn()) {
    if (clock.monotonic() >= deadline) return false;
    if ((await clock.sleep(POLL_MS, interrupt)) === 'aborted') {
      throw new Fault({
        code: 'interrupted',
        message: 'interrupted while the daemon was stopping',
      });
    }
  }
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCode(thrown) === 'EPERM';
  }
}

/** One that is gone before it has answered has done as it was told. */
async function askToStop(context: Context, edge: boolean): Promise<void> {
  try {
    await context.client().call('stopDaemon', { body: { edge } });
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'daemon-unreachable') throw thrown;
  }
}

function stillThere(): Fault {
  return new Fault({
    code: 'timed-out',
    message: `the daemon has not ended within ${formatDuration(STOP_TIMEOUT_MS)}`,
    hint: 'see what it does with: belay daemon status',
    retryable: true,
  });
}

function renderDaemon(view: DaemonView, context: Context): string[] {
  const { paint } = context.stdout;
  const uptime = formatDuration(context.clock.now() - view.startedAt);
  return [
    `${paint.bold('daemon')}  ${paint.green('● running')}  Belay ${view.version}, process ${view.pid}, for ${uptime}`,
    fact('home', view.home, paint),
    fact('runtime', view.runtime, paint),
    ...renderEdge(view, paint),
  ];
}

function renderEdge({ edge }: DaemonView, paint: Paint): string[] {
  if (!edge) return [fact('edge', 'none runs', paint)];
  const listeners = edge.listeners.map(({ host, port }) => `${host}:${port}`).join(', ');
  const workers = edge.workers.map(({ pid }) => pid).join(', ');
  return [
    fact(
      'edge',
      `process ${edge.pid}, generation ${edge.generation}, snapshot ${edge.snapshot}`,
      paint,
    ),
    fact('listens on', listeners, paint),
    fact('workers', workers === '' ? 'none' : `processes ${workers}`, paint),
  ];
}

const fact = (name: string, value: string, paint: Paint): string =>
  `  ${paint.dim(name.padEnd(12))}${value}`;
