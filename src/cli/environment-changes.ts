import type { Configuration } from '../model/configuration.ts';
import type { CloneChanges } from '../plan/clone.ts';
import type { OptionSpec } from './command.ts';
import type { Context } from './context.ts';
import { badOption, countOption } from './options.ts';
import type { Project } from './project.ts';

/** What a new environment is to have of its own: the flags of `envs create` and `envs clone`. */

export interface ChangeOptions {
  min?: number;
  desired?: number;
  max?: number;
  env?: readonly string[];
  domain?: readonly string[];
  config?: string;
}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;

export const configOption: OptionSpec = {
  flags: '--config <name>',
  description: 'a saved configuration, in place of the usual one',
};

export const changeOptions: readonly OptionSpec[] = [
  { flags: '--min <n>', description: 'at least so many instances', parse: countOption('--min', 0) },
  {
    flags: '--desired <n>',
    description: 'so many to begin with',
    parse: countOption('--desired', 0),
  },
  { flags: '--max <n>', description: 'at most so many', parse: countOption('--max', 1) },
  {
    flags: '--env <KEY=VALUE>',
    description: 'a variable, as belay env set would set it; may be repeated',
    parse: gather(checkAssignment),
  },
  {
    flags: '--domain <name>',
    description: 'a host name it answers to; may be repeated',
    parse: gather((name) => name),
  },
  configOption,
];

/** As the API takes them. */
export function changesOf(options: ChangeOptions): CloneChanges {
  const { min, desired, max, env = [], domain } = options;
  const variables = Object.fromEntries(env.map(splitAssignment));
  return {
    ...(min !== undefined && { min }),
    ...(desired !== undefined && { desired }),
    ...(max !== undefined && { max }),
    ...(domain !== undefined && { domains: domain }),
    variables,
  };
}

/** The configuration that was saved under the name; null without one. */
export async function savedConfiguration(
  context: Context,
  application: string,
  name: string | undefined,
): Promise<Configuration | null> {
  if (name === undefined) return null;
  const params = { application, name };
  const { configuration } = await context.client().call('savedConfiguration', { params });
  return configuration;
}

/** A project by the configuration that was saved under the name; as it is without one. */
export async function withSavedConfiguration(
  context: Context,
  project: Project,
  name: string | undefined,
): Promise<Project> {
  const saved = await savedConfiguration(context, project.application, name);
  if (saved === null) return project;
  const { withSaved } = await import('../model/saved-configuration.ts');
  return { ...project, configuration: withSaved(project.configuration, saved) };
}

function checkAssignment(text: string): string {
  if (ASSIGNMENT.test(text)) return text;
  throw badOption('--env', `is '${text}', which sets no variable`, 'write it as KEY=VALUE');
}

function splitAssignment(text: string): [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Of a flag that may be repeated; what was there before is handed in. */
function gather(read: (text: string) => string): (text: string, before?: unknown) => string[] {
  return (text, before) => [...((before as string[] | undefined) ?? []), read(text)];
}
