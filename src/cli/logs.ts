import { streams } from '../api/addresses.ts';
import { type HookName, hookNames } from '../model/hook.ts';
import { command } from './command.ts';
import type { Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { logPrefix } from './log-text.ts';
import { countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { chooseEnvironment, type Where } from './where.ts';

interface LogsOptions extends EnvironmentOptions {
  follow?: boolean;
  tail: number | string;
  instance?: string;
  hook?: HookName;
  all?: boolean;
}

const DEFAULT_TAIL = '100';

export const logsCommand = command<LogsOptions>({
  name: 'logs',
  summary: 'what instances and hooks wrote',
  description:
    'Prints the last lines of every instance, or of one, each with its instance before it where several write. Logs outlive their instances: --all has them too, and --hook those of what deployments run.',
  options: [
    ...environmentOptions,
    { flags: '-f, --follow', description: 'go on as lines are written' },
    {
      flags: '-n, --tail <lines>',
      description: 'lines of each instance',
      default: DEFAULT_TAIL,
      parse: countOption('--tail', 0),
    },
    { flags: '-i, --instance <id>', description: 'one instance only, also one that is gone' },
    {
      flags: '--hook <name>',
      description: `the newest run of a hook: ${hookNames.join(', ')}`,
      parse: parseHook,
    },
    { flags: '--all', description: 'also instances that are gone' },
  ],
  examples: [
    ['belay logs -f', 'follow all instances'],
    ['belay logs --hook build', 'why a build failed'],
    ['belay logs --instance i-1a2b3c4d --tail 500', 'one instance, further back'],
  ],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const instances = await readLogs(context, where, options);
    if (context.json && !options.follow) {
      context.stdout.line(JSON.stringify({ instances }));
      return exitCodes.ok;
    }
    const write = lineWriter(context, options.follow === true || instances.length > 1);
    for (const { instance, lines } of instances) {
      for (const line of lines) write(instance, line);
    }
    return options.follow ? followLogs(context, where, options, write) : exitCodes.ok;
  },
});

async function readLogs(context: Context, where: Where, options: LogsOptions) {
  const client = context.client();
  const { instance, hook } = options;
  const query = { tail: Number(options.tail), ...choiceOf(options) };
  const { instances } = await client.call('logs', { params: where, query });
  if (instance !== undefined || hook !== undefined || options.all) return instances;
  const { instances: there } = await client.call('environment', { params: where });
  const ids = new Set(there.map(({ id }) => id));
  const live = instances.filter((log) => ids.has(log.instance));
  // Where nothing runs any more, what is gone is what one wants to read.
  return live.length > 0 ? live : instances;
}

const choiceOf = ({ instance, hook }: LogsOptions) => ({
  ...(instance !== undefined && { instance }),
  ...(hook !== undefined && { hook }),
});

function parseHook(name: string): HookName {
  const hook = hookNames.find((each) => each === name);
  if (hook) return hook;
  throw new InputFault({
    code: 'unknown-hook',
    message: `there is no hook '${name}' with a log of its own`,
    subject: name,
    hint: `use one of: ${hookNames.join(', ')}; what bootstrap wrote is in its instance's log`,
  });
}

type WriteLine = (instance: string, line: string) => void;

/** When following, `--json` is one object a line. */
function lineWriter(context: Context, prefixed: boolean): WriteLine {
  if (context.json)
    return (instance, line) => context.stdout.line(JSON.stringify({ instance, line }));
  const prefix = logPrefix(context.stdout.paint);
  return (instance, line) => context.stdout.line(prefixed ? prefix(instance) + line : line);
}

async function followLogs(
  context: Context,
  where: Where,
  options: LogsOptions,
  write: WriteLine,
): Promise<number> {
  const path = streams.logs
    .replace(':application', encodeURIComponent(where.application))
    .replace(':environment', encodeURIComponent(where.environment));
  const lines = context.client().stream<{ instance: string; line: string }>(path, {
    query: choiceOf(options),
    signal: context.interrupt,
  });
  for await (const entry of lines) write(entry.instance, entry.line);
  return exitCodes.interrupted;
}
