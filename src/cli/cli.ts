import { CommanderError } from 'commander';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { CommandSpec } from './command.ts';
import { type CliInput, type Context, createContext } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { renderFault } from './fault-text.ts';
import { createProgram } from './program.ts';

export type { CliInput } from './context.ts';

/**
 * Parses the arguments, runs the command, renders what goes wrong.
 *
 * @returns the exit code; never throws
 */
export async function runCli(input: CliInput): Promise<number> {
  using interruption = listenForInterrupt(input);
  const json = asksForJson(input.argv);
  const context = createContext(input, interruption.signal, json);
  let code: number = exitCodes.ok;
  const perform = async (
    spec: CommandSpec,
    options: Record<string, unknown>,
    args: readonly string[],
  ) => {
    code = await spec.run(context, options, args);
  };
  const program = createProgram(input.version, context, perform);
  try {
    if (input.argv.length === 0) program.outputHelp();
    else await program.parseAsync([...input.argv], { from: 'user' });
    return code;
  } catch (thrown) {
    if (interruption.signal.aborted && !isInterrupted(thrown)) return exitCodes.interrupted;
    if (thrown instanceof CommanderError) return endParsing(context, thrown);
    return report(context, asFault(thrown, context));
  }
}

/** Commander ends help and `--version` by throwing too. */
function endParsing(context: Context, thrown: CommanderError): number {
  if (thrown.exitCode === 0) return exitCodes.ok;
  // A family without a command, `belay env`: its help has been shown.
  if (thrown.code === 'commander.help') return exitCodes.badUsage;
  const [message = '', ...rest] = thrown.message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (.+)\?\)/.exec(rest.join(' '))?.[1];
  return report(
    context,
    new Fault({
      code: 'bad-usage',
      message,
      hint: suggestion
        ? `did you mean ${suggestion.replace(/^one of /, 'one of: ')}?`
        : 'see: belay --help',
    }),
  );
}

function report(context: Context, fault: Fault): number {
  if (context.json) context.stdout.line(JSON.stringify({ error: fault.toJSON() }));
  else {
    const { stderr, directory } = context;
    for (const line of renderFault(fault, stderr.paint, directory)) stderr.folded(line);
  }
  return exitCodeOf(fault);
}

/** A command that has something to say about being interrupted. */
const isInterrupted = (thrown: unknown): boolean =>
  thrown instanceof Fault && thrown.code === 'interrupted';

function asFault(thrown: unknown, context: Context): Fault {
  if (thrown instanceof Fault) return thrown;
  if (context.environment.BELAY_DEBUG && thrown instanceof Error) {
    context.stderr.line(thrown.stack ?? thrown.message);
  }
  return new Fault({
    code: 'internal',
    message: `something went wrong inside Belay: ${messageOf(thrown)}`,
    hint: 'this is a bug of ours; BELAY_DEBUG=1 shows where it happened',
    cause: thrown,
  });
}

/** Asked before parsing, because bad usage has to be answered in JSON too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

function listenForInterrupt(input: CliInput): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  // A reader that went away (`belay logs | head`) ends us as quietly as a signal.
  input.stdout.on('error', abort);
  input.stderr.on('error', abort);
  if (!input.interrupt) {
    // Once: a second signal finds nobody listening and ends the process at once.
    process.once('SIGINT', abort);
    process.once('SIGTERM', abort);
  }
  return {
    signal: input.interrupt
      ? AbortSignal.any([input.interrupt, controller.signal])
      : controller.signal,
    [Symbol.dispose]() {
      input.stdout.off('error', abort);
      input.stderr.off('error', abort);
      process.off('SIGINT', abort);
      process.off('SIGTERM', abort);
    },
  };
}
