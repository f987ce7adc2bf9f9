import { type Argument, Command } from 'commander';
import { attachCommand } from './attach.ts';
import { cacheFamily } from './cache.ts';
import { type CommandFamily, type CommandSpec, type Perform, toCommander } from './command.ts';
import { completionCommand } from './completion.ts';
import { configFamily } from './config.ts';
import { daemonFamily } from './daemon.ts';
import { deployCommand } from './deploy.ts';
import { deploymentsCommand } from './deployments.ts';
import { diffCommand } from './diff.ts';
import { doctorCommand } from './doctor.ts';
import { downCommand } from './down.ts';
import { edgeFamily } from './edge.ts';
import { envFamily } from './env.ts';
import { envsFamily } from './envs.ts';
import { eventsCommand } from './events.ts';
import { freezeCommand, unfreezeCommand } from './freeze.ts';
import { initCommand } from './init.ts';
import { instanceFamily } from './instance.ts';
import { logsCommand } from './logs.ts';
import { metricsFamily } from './metrics.ts';
import { openCommand } from './open.ts';
import type { Output } from './output.ts';
import { queueFamily } from './queue.ts';
import { restartCommand } from './restart.ts';
import { rollbackCommand } from './rollback.ts';
import { runCommand } from './run.ts';
import { scaleCommand } from './scale.ts';
import { signCommand } from './sign.ts';
import { signingKeysFamily } from './signing-keys.ts';
import { simulateCommand } from './simulate.ts';
import { statusCommand } from './status.ts';
import { topCommand } from './top.ts';
import { upCommand } from './up.ts';
import { versionsCommand } from './versions.ts';

/** The tree of commands, in the order and the groups in which help shows them. */
export const commandGroups: readonly {
  heading: string;
  commands: readonly (CommandSpec | CommandFamily)[];
}[] = [
  { heading: 'Start here:', commands: [upCommand, initCommand, doctorCommand] },
  {
    heading: 'Change what runs:',
    commands: [
      deployCommand,
      rollbackCommand,
      restartCommand,
      scaleCommand,
      instanceFamily,
      envFamily,
      envsFamily,
      freezeCommand,
      unfreezeCommand,
      queueFamily,
      downCommand,
    ],
  },
  {
    heading: 'See what runs:',
    commands: [
      statusCommand,
      topCommand,
      metricsFamily,
      cacheFamily,
      logsCommand,
      eventsCommand,
      openCommand,
      deploymentsCommand,
      attachCommand,
      versionsCommand,
      diffCommand,
      configFamily,
    ],
  },
  {
    heading: 'And also:',
    commands: [
      runCommand,
      simulateCommand,
      signCommand,
      signingKeysFamily,
      edgeFamily,
      daemonFamily,
      completionCommand,
    ],
  },
];

export interface ProgramStreams {
  stdout: Output;
  stderr: Output;
}

/** The whole command line, ready to parse. Ends by throwing CommanderError, never the process. */
export function createProgram(version: string, streams: ProgramStreams, perform: Perform): Command {
  const program = new Command('belay')
    .description(
      'Elastic Beanstalk for machines you own: your app behind an edge of its own, healed, scaled and deployed without losing a request. Every change ends with a receipt.',
    )
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; also after a command')
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText('after', EPILOGUE);
  for (const { heading, commands } of commandGroups) {
    program.commandsGroup(heading);
    for (const spec of commands) program.addCommand(toCommander(spec, perform).helpGroup(heading));
  }
  everyCommand(program, (each) => {
    each
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({
        helpWidth: Math.min(streams.stdout.columns, MAX_HELP_COLUMNS),
        subcommandTerm: termOf,
      })
      .configureOutput({
        writeOut: (text) => streams.stdout.write(text),
        // Only the help of a family without a command goes here; errors are rendered as faults.
        writeErr: (text) => streams.stderr.write(text),
        outputError: () => {},
      });
  });
  return program;
}

/** `deploy [DIR]`: that there are options goes without saying. */
const termOf = (command: Command): string =>
  [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' ');

const argumentTerm = (argument: Argument): string => {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
};

const MAX_HELP_COLUMNS = 100;

const EPILOGUE = `
Examples:
  belay up my-app                  run what is in my-app
  belay status                     how it does, at a glance
  belay deploy -m "Faster search"  ship a change, and get the receipt
  belay rollback                   back to the release before

Every command takes --json.
Exit codes: 0 done, 1 failed, 2 differs or unhealthy, 3 timed out,
4 rolled back, 5 daemon unreachable, 64 bad usage or configuration,
130 interrupted.`;

function everyCommand(root: Command, visit: (command: Command) => void): void {
  visit(root);
  for (const child of root.commands) everyCommand(child, visit);
}
