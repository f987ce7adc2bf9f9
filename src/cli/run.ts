import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Fault, systemCode } from '../kernel/fault.ts';
import type { Variables } from '../model/configuration.ts';
import { needsSigning } from '../model/guard.ts';
import { type Release, variablesOf } from '../model/release.ts';
import { signingVariables } from '../model/signing-keys.ts';
import { command } from './command.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import { countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { chooseEnvironment, commandFor, type Where } from './where.ts';

interface RunOptions extends EnvironmentOptions {
  release?: number;
}

/** What shells answer for a program that a signal ended: 128 and the signal's number. */
const SIGNAL_BASE = 128;

export const runCommand = command<RunOptions>({
  name: 'run',
  summary: "run a command with a release's code and variables",
  description:
    "Runs a command in the code directory of the release that runs, with its variables: a migration, a console, a look around. No shell in between; the command's exit code is passed on.",
  arguments: [{ syntax: '<CMD...>', description: 'the program and its arguments, after --' }],
  options: [
    ...environmentOptions,
    {
      flags: '--release <number>',
      description: 'another release than the one that runs',
      parse: countOption('--release', 1),
    },
  ],
  passThrough: true,
  examples: [
    ['belay run -- node migrate.js', 'with the variables of production'],
    ['belay run -e staging -- sh', 'a shell where the code lies'],
  ],
  async run(context, options, words) {
    const where = await chooseEnvironment(context, options);
    const release = await readRelease(context, where, options.release);
    const variables = {
      ...context.environment,
      ...variablesOf(release),
      ...(await readSigningVariables(context, where, release)),
      BELAY_APPLICATION: where.application,
      BELAY_ENVIRONMENT: where.environment,
      BELAY_RELEASE: String(release.number),
    };
    return execute(context, words, release.directory, variables);
  },
});

async function readRelease(context: Context, where: Where, asked: number | undefined) {
  const number = asked ?? (await currentRelease(context, where));
  const release = await context.client().call('release', { params: { ...where, number } });
  if (release.directory !== null) return { ...release, directory: release.directory };
  throw new InputFault({
    code: 'no-code',
    message: `release ${number} has no code: it sends traffic to a fixed address`,
    subject: `${where.application}/${where.environment}`,
  });
}

async function readSigningVariables(
  context: Context,
  where: Where,
  { configuration }: Pick<Release, 'configuration'>,
): Promise<Variables> {
  if (!needsSigning(configuration.traffic.guards)) return {};
  return signingVariables((await context.client().call('signingKeys', { params: where })).keys);
}

async function currentRelease(context: Context, where: Where): Promise<number> {
  const { release } = await context.client().call('environment', { params: where });
  if (release !== null) return release;
  throw new Fault({
    code: 'no-release',
    message: `${where.application}/${where.environment} runs no release yet`,
    hint: `see: ${commandFor('status', where)}`,
  });
}

function execute(
  context: Context,
  [program = '', ...args]: readonly string[],
  directory: string,
  variables: Record<string, string | undefined>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    // With --json, stdout is for our own line, so what the command prints goes to stderr.
    const child = spawn(program, args, {
      cwd: directory,
      env: variables,
      stdio: ['inherit', context.json ? 2 : 'inherit', 'inherit'],
    });
    child.on('error', (cause) => reject(cannotStart(program, directory, cause)));
    child.on('exit', (code, signal) => {
      const exitCode = code ?? SIGNAL_BASE + (signal ? constants.signals[signal] : 0);
      if (context.json) context.stdout.line(JSON.stringify({ exitCode, signal }));
      resolve(exitCode);
    });
  });
}

function cannotStart(program: string, directory: string, cause: unknown): Fault {
  const missing = systemCode(cause) === 'ENOENT';
  return new InputFault({
    code: missing ? 'command-not-found' : 'command-not-started',
    message: missing
      ? `the program '${program}' was not found`
      : `the program '${program}' could not be started`,
    subject: directory,
    hint: 'give a program on PATH, or a path relative to the code: ./bin/task',
    cause,
  });
}
