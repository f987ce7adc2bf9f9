import type { EnvironmentView, TerminatedView } from '../model/view.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { cloneCommand } from './envs-clone.ts';
import { createCommand } from './envs-create.ts';
import { rebuildCommand } from './envs-rebuild.ts';
import { swapCommand } from './envs-swap.ts';
import { terminateCommand } from './envs-terminate.ts';
import { exitCodes } from './exit-code.ts';
import { appOption } from './options.ts';
import { formatAgo } from './quantity.ts';
import { healthInk } from './status-text.ts';
import { renderTable } from './table.ts';
import { nameOf } from './termination.ts';
import { listEnvironments } from './where.ts';

const listCommand = command<{ app?: string; all?: boolean }>({
  name: 'list',
  summary: 'environments, what they run and what they answer to',
  options: [
    { ...appOption, description: 'one application; all when left out' },
    { flags: '--all', description: 'those that ended too, and can be rebuilt' },
  ],
  examples: [['belay envs --all', 'with those that ended']],
  async run(context, { app, all }) {
    const environments = await listEnvironments(context, app === undefined ? {} : { app });
    const query = app === undefined ? {} : { application: app };
    const { terminated } = all
      ? await context.client().call('terminatedEnvironments', { query })
      : { terminated: [] };
    answer(context, { environments, terminated }, () => render(context, environments, terminated));
    return exitCodes.ok;
  },
});

export const envsFamily: CommandFamily = {
  name: 'envs',
  summary: 'environments: list, create, clone, swap, terminate, rebuild',
  description:
    'Environments as a whole: lists them when nothing else is said. Names are kebab-case, at most 40 characters.',
  commands: [
    listCommand,
    createCommand,
    cloneCommand,
    swapCommand,
    terminateCommand,
    rebuildCommand,
  ],
  fallback: 'list',
};

function render(
  context: Context,
  environments: readonly EnvironmentView[],
  terminated: readonly TerminatedView[],
): string[] {
  if (environments.length + terminated.length === 0) {
    return ['There is no environment.', 'Start an application with: belay up DIR'];
  }
  const { paint } = context.stdout;
  const now = context.clock.now();
  const titles = ['ENVIRONMENT', 'STATUS', 'HEALTH', 'RELEASE', 'INSTANCES', 'ANSWERS TO'];
  return renderTable(
    titles.map((title) => ({ title })),
    [
      ...environments.map((view) => [
        nameOf(view),
        view.status,
        paint[healthInk[view.health]](view.health),
        releaseOf(view),
        instancesOf(view),
        namesOf(view),
      ]),
      ...terminated.map((view) => [
        nameOf(view),
        'terminated',
        '',
        releaseOf(view),
        '',
        view.terminatedAt === null ? '' : paint.dim(formatAgo(view.terminatedAt, now)),
      ]),
    ],
    paint,
  );
}

function releaseOf({ release, version }: Pick<TerminatedView, 'release' | 'version'>): string {
  if (release === null) return 'none yet';
  return version === null ? `${release}` : `${release} (${version})`;
}

function instancesOf({ instances, capacity: { min, desired, max } }: EnvironmentView): string {
  const serving = instances.filter(({ state }) => state === 'in-service').length;
  return `${serving} of ${desired} (${min} to ${max})`;
}

const namesOf = ({ domains, namesOf }: EnvironmentView): string =>
  `${domains.join(', ')}${namesOf === null ? '' : `, of ${namesOf} since a swap`}`;
