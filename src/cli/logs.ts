import { streams } from '../api/addresses.ts';
import { command } from './command.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { logPrefix } from './log-text.ts';
import { countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { chooseEnvironment, type Where } from './where.ts';

interface LogsOptions extends EnvironmentOptions {
  follow?: boolean;
  tail: number | string;
  instance?: string;
  all?: boolean;
}

const DEFAULT_TAIL = '100';

export const logsCommand = command<LogsOptions>({
  name: 'logs',
  summary: 'what instances wrote',
  description:
    'Prints the last lines of every instance, or of one, each with its instance before it where several write. Logs outlive their instances: --all has them too.',
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
    { flags: '--all', description: 'also instances that are gone' },
  ],
  examples: [
    ['belay logs -f', 'follow all instances'],
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
    return options.follow ? followLogs(context, where, options.instance, write) : exitCodes.ok;
  },
});

async function readLogs(context: Context, where: Where, options: LogsOptions) {
  const client = context.client();
  const { instance } = options;
  const query = { tail: Number(options.tail), ...(instance !== undefined && { instance }) };
  const { instances } = await client.call('logs', { params: where, query });
  if (instance !== undefined || options.all) return instances;
  const { instances: there } = await client.call('environment', { params: where });
  const ids = new Set(there.map(({ id }) => id));
  const live = instances.filter((log) => ids.has(log.instance));
  // Where nothing runs any more, what is gone is what one wants to read.
  return live.length > 0 ? live : instances;
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
  instance: string | undefined,
  write: WriteLine,
): Promise<number> {
  const path = streams.logs
    .replace(':application', encodeURIComponent(where.application))
    .replace(':environment', encodeURIComponent(where.environment));
  const lines = context.client().stream<{ instance: string; line: string }>(path, {
    ...(instance !== undefined && { query: { instance } }),
    signal: context.interrupt,
  });
  for await (const entry of lines) write(entry.instance, entry.line);
  return exitCodes.interrupted;
}
