import { Argument, Command, Option } from 'commander';
import type { Context } from './context.ts';

/**
 * A command as data: its words, its flags and what it does. The program, its help and the shell
 * completion are all made from these.
 */

export interface OptionSpec {
  /** `-m, --message <text>` */
  flags: string;
  description: string;
  default?: string;
  parse?: (text: string) => unknown;
}

interface ArgumentSpec {
  /** `[DIR]`, `<KEY>`, `[CMD...]` */
  syntax: string;
  description: string;
  /** What a shell may offer in its place; files, when left out. */
  completes?: 'instances';
}

export interface CommandSpec<Options = Record<string, unknown>> {
  name: string;
  summary: string;
  /** Paragraphs below the usage line; the summary when left out. */
  description?: string;
  arguments?: readonly ArgumentSpec[];
  options?: readonly OptionSpec[];
  /** `[what to type, what it does]` */
  examples?: readonly (readonly [string, string])[];
  /** What follows the first argument belongs to another program. */
  passThrough?: boolean;
  /** Returns the exit code; throws Faults. */
  run(context: Context, options: Options, args: readonly string[]): Promise<number>;
}

/** A command that holds others: `daemon`, `env`. */
export interface CommandFamily {
  name: string;
  summary: string;
  description?: string;
  commands: readonly CommandSpec[];
  /** The one that is meant when none is named; help is shown when there is none. */
  fallback?: string;
}

/** Ties a command to the type of its options; commander has parsed them by the time it runs. */
export function command<Options>(spec: CommandSpec<Options>): CommandSpec {
  return { ...spec, run: (context, options, args) => spec.run(context, options as Options, args) };
}

export const jsonOption: OptionSpec = {
  flags: '--json',
  description: 'data as JSON on stdout, progress on stderr',
};

/** How a command runs once it is parsed: given by the program. */
export type Perform = (
  spec: CommandSpec,
  options: Record<string, unknown>,
  args: readonly string[],
) => Promise<void>;

export function toCommander(spec: CommandSpec | CommandFamily, perform: Perform): Command {
  const made = new Command(spec.name)
    .summary(spec.summary)
    .description(spec.description ?? sentence(spec.summary))
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false);
  if ('commands' in spec) {
    for (const child of spec.commands) {
      made.addCommand(toCommander(child, perform), { isDefault: child.name === spec.fallback });
    }
    return made;
  }
  for (const { syntax, description } of spec.arguments ?? []) {
    made.addArgument(new Argument(syntax, description));
  }
  for (const option of [...(spec.options ?? []), jsonOption]) made.addOption(toOption(option));
  if (spec.passThrough) made.passThroughOptions().allowExcessArguments();
  if (spec.examples) made.addHelpText('after', examplesText(spec.examples));
  return made.action(async (...parsed: unknown[]) => {
    await perform(
      spec,
      made.opts(),
      (parsed.slice(0, -2) as (string | string[] | undefined)[]).flatMap(given),
    );
  });
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.parse) option.argParser(spec.parse);
  return option;
}

/** Arguments as one list: those left out are left out, and `[CMD...]` is spread. */
const given = (argument: string | string[] | undefined): string[] =>
  argument === undefined ? [] : [argument].flat();

function examplesText(examples: readonly (readonly [string, string])[]): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  return [
    '',
    'Examples:',
    ...examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`),
  ].join('\n');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
