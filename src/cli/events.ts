import { streams } from '../api/addresses.ts';
import { environmentKey } from '../model/environment.ts';
import type { BelayEvent } from '../model/event.ts';
import { command } from './command.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { appOption, countOption, environmentOption } from './options.ts';
import type { Paint } from './paint.ts';
import { formatTime } from './quantity.ts';
import { chooseEnvironment } from './where.ts';

interface EventsOptions {
  app?: string;
  environment?: string;
  follow?: boolean;
  number: number | string;
}

const DEFAULT_COUNT = '30';

export const eventsCommand = command<EventsOptions>({
  name: 'events',
  summary: 'what happened, newest last',
  description:
    'Prints what happened, newest last: everywhere, or in one application or environment.',
  options: [
    { ...appOption, description: 'one application; everything when left out' },
    { flags: environmentOption.flags, description: 'one environment; everything when left out' },
    { flags: '-f, --follow', description: 'go on as things happen' },
    {
      flags: '-n, --number <count>',
      description: 'how many of the newest',
      default: DEFAULT_COUNT,
      parse: countOption('--number', 1),
    },
  ],
  examples: [['belay events -f', 'watch what happens']],
  async run(context, options) {
    const environment = await chooseKey(context, options);
    const query = environment === undefined ? {} : { environment };
    const { events } = await context
      .client()
      .call('events', { query: { ...query, limit: Number(options.number) } });
    if (context.json && !options.follow) {
      context.stdout.line(JSON.stringify({ events }));
      return exitCodes.ok;
    }
    const write = (event: BelayEvent) =>
      context.json
        ? context.stdout.line(JSON.stringify(event))
        : context.stdout.folded(renderEvent(event, context.stdout.paint));
    for (const event of events) write(event);
    if (!options.follow) return exitCodes.ok;
    const following = context.client().stream<BelayEvent>(streams.events, {
      query,
      lastEventId: events.at(-1)?.id ?? 0,
      signal: context.interrupt,
    });
    for await (const event of following) write(event);
    return exitCodes.interrupted;
  },
});

/** The key of one environment, or undefined for everything. */
async function chooseKey(context: Context, options: EventsOptions): Promise<string | undefined> {
  if (options.app === undefined && options.environment === undefined) return undefined;
  const where = await chooseEnvironment(context, {
    ...(options.app !== undefined && { app: options.app }),
    environment: options.environment ?? environmentOption.default ?? '',
  });
  return environmentKey(where.application, where.environment);
}

const severityInk = { info: 'dim', warning: 'yellow', error: 'red' } as const;
const severityMark = { info: '·', warning: '!', error: '✗' } as const;

function renderEvent(event: BelayEvent, paint: Paint): string {
  const mark = paint[severityInk[event.severity]](severityMark[event.severity]);
  const where = event.environment === null ? '' : `${paint.bold(event.environment)}  `;
  return `${paint.dim(formatTime(event.at))}  ${mark} ${where}${event.message}`;
}
