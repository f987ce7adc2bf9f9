import { changedCapacity } from '../plan/clone.ts';
import { command } from './command.ts';
import { conclude } from './conclude.ts';
import type { Context } from './context.ts';
import {
  type ChangeOptions,
  changeOptions,
  changesOf,
  withSavedConfiguration,
} from './environment-changes.ts';
import { InputFault } from './exit-code.ts';
import { userName } from './manner.ts';
import { appOption, type FollowOptions, followOptions } from './options.ts';
import { loadProject, type Project } from './project.ts';
import { sendCode } from './ship.ts';

interface CreateOptions extends ChangeOptions, FollowOptions {
  app?: string;
  release?: string;
  message?: string;
}

export const createCommand = command<CreateOptions>({
  name: 'create',
  summary: 'make an environment from a directory',
  description:
    'Makes an environment that is not there yet, from the code and the configuration of a directory, and shows each step. Of what the configuration says of an environment of this name, --config and the flags change what they say.',
  arguments: [
    { syntax: '<name>', description: 'kebab-case: qa, staging-2' },
    { syntax: '[DIR]', description: 'where the code is (default: this directory)' },
  ],
  options: [
    ...changeOptions,
    { flags: '--release <version>', description: "a version that is there, not DIR's code" },
    { flags: '-m, --message <text>', description: 'why, for the record' },
    { ...appOption, description: 'the application that DIR must be' },
    ...followOptions,
  ],
  examples: [
    ['belay envs create qa', 'this directory, as an environment of its own'],
    [
      'belay envs create load-test --config big --release v12',
      'a version by a saved configuration',
    ],
  ],
  async run(context, options, [name = '', directory = '.']) {
    const project = await loadProject(context, directory, name);
    refuseOtherApplication(project, options.app);
    const { application } = project;
    const { configuration, variables } = await configurationOf(context, project, options);
    const version =
      options.release ?? (await sendCode(context, { ...project, configuration }))?.input ?? null;
    const { deployment } = await context.client().call('createEnvironment', {
      params: { application },
      body: {
        name,
        configuration,
        variables,
        version,
        message: options.message ?? null,
        by: userName(),
      },
    });
    return conclude(context, { application, environment: name }, deployment, options);
  },
});

async function configurationOf(context: Context, project: Project, options: CreateOptions) {
  const { configuration: own } = await withSavedConfiguration(context, project, options.config);
  const { variables, domains, ...capacity } = changesOf(options);
  const configuration = {
    ...own,
    web: { ...own.web, capacity: changedCapacity(own.web.capacity, capacity) },
    domains: domains ? [...domains] : own.domains,
  };
  return { configuration, variables };
}

function refuseOtherApplication(project: Project, app: string | undefined): void {
  if (app === undefined || app === project.application) return;
  throw new InputFault({
    code: 'other-application',
    message: `${project.directory} is ${project.application}, not ${app}`,
    subject: project.file ?? project.directory,
    hint: 'leave out --app, or name the directory of that application',
  });
}
