import { command } from './command.ts';
import { compareEnvironments, comparisonJson, hasDifferences } from './comparison.ts';
import { renderComparison } from './comparison-text.ts';
import { conclude, tellVerdict, verdictJson } from './conclude.ts';
import {
  type ChangeOptions,
  changeOptions,
  changesOf,
  savedConfiguration,
} from './environment-changes.ts';
import { userName } from './manner.ts';
import { appOption, type FollowOptions, followOptions } from './options.ts';
import { chooseEnvironment, type Where } from './where.ts';

interface CloneOptions extends ChangeOptions, FollowOptions {
  app?: string;
  message?: string;
}

export const cloneCommand = command<CloneOptions>({
  name: 'clone',
  summary: 'make an environment that is the same but for what you say',
  description:
    'Makes an environment that runs the same version with the same configuration, variables and capacity as another, and tells every difference: the host names, which no two can share, and what the flags say. Data is not copied.',
  arguments: [
    { syntax: '<from>', description: 'the environment that is there' },
    { syntax: '<to>', description: 'the one to make' },
  ],
  options: [
    ...changeOptions,
    { flags: '-m, --message <text>', description: 'why, for the record' },
    appOption,
    ...followOptions,
  ],
  examples: [
    ['belay envs clone production staging', 'the same in everything but its name'],
    ['belay envs clone production qa --min 1 --max 1', 'smaller'],
    ['belay envs clone production qa --env LOG_LEVEL=debug', 'and more talkative'],
  ],
  async run(context, options, [from = '', to = '']) {
    const source = await chooseEnvironment(context, {
      ...(options.app !== undefined && { app: options.app }),
      environment: from,
    });
    const { application } = source;
    const configuration = await savedConfiguration(context, application, options.config);
    const { deployment } = await context.client().call('cloneEnvironment', {
      params: source,
      body: {
        ...writable(changesOf(options)),
        name: to,
        configuration,
        message: options.message ?? null,
        by: userName(),
      },
    });
    const where: Where = { application, environment: to };
    const comparison = await compareEnvironments(context, source, where, deployment.to);
    const { paint } = context.stderr;
    for (const line of renderComparison(comparison, { reveal: false, paint })) {
      context.stderr.line(line);
    }
    if (!hasDifferences(comparison)) context.stderr.line('It is the same in everything.');
    context.stderr.line();
    return conclude(context, where, deployment, options, (ended) => {
      if (!context.json) return tellVerdict(context, where, ended);
      const differences = comparisonJson(comparison, false);
      const told = { ...verdictJson(where, ended), clonedFrom: from, differences };
      return tellVerdict(context, where, ended, told);
    });
  },
});

const writable = ({ domains, ...changes }: ReturnType<typeof changesOf>) => ({
  ...changes,
  ...(domains && { domains: [...domains] }),
});
