import { Fault } from '../kernel/fault.ts';
import type { DeploymentDetail, EnvironmentView } from '../model/view.ts';
import { command } from './command.ts';
import { conclude, tellVerdict, verdictJson } from './conclude.ts';
import { answer, type Context } from './context.ts';
import { ensureDaemon } from './daemon-start.ts';
import { exitCodes } from './exit-code.ts';
import { liveLine } from './live-line.ts';
import { mannerOf } from './manner.ts';
import { defaultTimeoutMs, environmentOption, timeoutOption } from './options.ts';
import { loadProject, type Project } from './project.ts';
import { ship } from './ship.ts';
import { describePort, renderFound, renderUp } from './up-text.ts';

interface UpOptions {
  environment: string;
  timeout?: number;
}

const POLL_MS = 200;

export const upCommand = command<UpOptions>({
  name: 'up',
  summary: 'run an application, starting everything it needs',
  description:
    'Starts the daemon and the edge when none run, finds out how to run what is in the directory, runs it, and returns when it is ready. Up again changes what changed, and nothing else.',
  arguments: [{ syntax: '[DIR]', description: 'where the code is (default: this directory)' }],
  options: [environmentOption, timeoutOption],
  examples: [
    ['belay up', 'what is in this directory'],
    ['belay up -e staging', 'the same, beside it, as staging'],
    ['BELAY_HTTP=80 belay up', 'with the edge on another port'],
  ],
  async run(context, options, [directory = '.']) {
    const project = await loadProject(context, directory, options.environment);
    const { application, environment } = project;
    const where = { application, environment };
    for (const line of renderFound(context, project)) context.stderr.line(line);
    const daemon = await ensureDaemon(context);
    const timeout = options.timeout ?? defaultTimeoutMs;
    const manner = mannerOf({ timeout });
    const { deployment: started } = await ship(context, project, { manner, unchanged: 'skip' });
    const ready = async (deployment: DeploymentDetail | null) => {
      const view = await waitUntilReady(context, project, timeout);
      return tellUp(context, {
        project,
        view,
        deployment,
        daemonStarted: daemon.started,
        directory,
      });
    };
    if (!started) return ready(null);
    return conclude(context, where, started, options, (deployment) =>
      deployment.state === 'succeeded'
        ? ready(deployment)
        : tellVerdict(context, where, deployment),
    );
  },
});

/** An environment that was there already may still be coming back, after a reboot for example. */
async function waitUntilReady(
  context: Context,
  { application, environment }: Project,
  timeoutMs: number,
): Promise<EnvironmentView> {
  const { clock, interrupt } = context;
  const deadline = clock.monotonic() + timeoutMs;
  const live = liveLine(context.stderr);
  try {
    for (;;) {
      const params = { application, environment };
      const view = await context.client().call('environment', { params });
      const settled = !view.instances.some(({ state }) => state === 'pending');
      if (view.status === 'ready' && settled) return view;
      live.show(`  ${context.stderr.paint.dim(`${view.status} …`)}`);
      if (clock.monotonic() >= deadline) throw notReady(view);
      if ((await clock.sleep(POLL_MS, interrupt)) === 'aborted') {
        throw new Fault({ code: 'interrupted', message: 'interrupted; it goes on coming up' });
      }
    }
  } finally {
    live.clear();
  }
}

function notReady(view: EnvironmentView): Fault {
  return new Fault({
    code: 'timed-out',
    message: `${view.application}/${view.environment} is ${view.status} and was not ready in time: ${view.cause}`,
    hint: 'see how it does with: belay status',
    retryable: true,
  });
}

interface Up {
  project: Project;
  view: EnvironmentView;
  /** Null when what runs was right already. */
  deployment: DeploymentDetail | null;
  daemonStarted: boolean;
  directory: string;
}

async function tellUp(context: Context, up: Up): Promise<number> {
  const daemon = await context.client().call('daemon');
  const { project, view, deployment } = up;
  const { application, environment } = project;
  const json = {
    ...view,
    changed: deployment !== null,
    deployment: deployment && verdictJson({ application, environment }, deployment),
  };
  answer(context, json, () =>
    renderUp(context, {
      view,
      deployment,
      directory: up.directory,
      port: describePort(context, daemon, up.daemonStarted),
    }),
  );
  return exitCodes.ok;
}
