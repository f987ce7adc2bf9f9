import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../kernel/fault.ts';
import { PRODUCTION } from '../model/environment.ts';
import type { EnvironmentView } from '../model/view.ts';
import type { Context } from './context.ts';
import type { EnvironmentOptions } from './options.ts';
import { applicationOf, CONFIG_FILE } from './project.ts';

/** The environment a command is about: both parts of its key. */
export interface Where {
  application: string;
  environment: string;
}

/** A command line that means this environment from any directory. */
export function commandFor(words: string, { application, environment }: Where): string {
  const flag = environment === PRODUCTION ? '' : ` -e ${environment}`;
  return `belay ${words} -a ${application}${flag}`;
}

/**
 * The application named, else the one this directory configures, else the only one that runs.
 * What is only guessed from a directory counts only when it runs: almost any directory looks like
 * an application to somebody.
 *
 * @throws `ambiguous-application`, `nothing-runs`, or what is wrong with the configuration
 */
export async function chooseEnvironment(
  context: Context,
  options: EnvironmentOptions,
): Promise<Where> {
  return {
    application: await chooseApplication(context, options.app),
    environment: options.environment,
  };
}

async function chooseApplication(context: Context, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const { environments } = await context.client().call('environments');
  const running = [...new Set(environments.map(({ application }) => application))];
  const configured = existsSync(join(context.directory, CONFIG_FILE));
  try {
    const here = await applicationOf(context);
    if (configured || running.includes(here)) return here;
  } catch (thrown) {
    // A broken configuration must not stand between its owner and the logs of the only app.
    if (configured && running.length !== 1) throw thrown;
  }
  const [only] = running;
  if (only !== undefined && running.length === 1) return only;
  throw running.length === 0 ? nothingRuns() : ambiguous(running);
}

/** The environments asked for; all of them when none is named. */
export async function listEnvironments(
  context: Context,
  options: { app?: string; environment?: string },
): Promise<EnvironmentView[]> {
  const { environments } = await context
    .client()
    .call('environments', options.app === undefined ? {} : { query: { application: options.app } });
  return environments.filter(
    ({ environment }) => options.environment === undefined || environment === options.environment,
  );
}

function nothingRuns(): Fault {
  return new Fault({
    code: 'nothing-runs',
    message: 'no application runs',
    hint: 'start one with: belay up DIR',
  });
}

function ambiguous(running: readonly string[]): Fault {
  return new Fault({
    code: 'ambiguous-application',
    message: `several applications run: ${running.join(', ')}`,
    hint: `say which one with: --app ${running[0] ?? ''}`,
    details: { applications: running },
  });
}
