import type { PurgeRequest, PurgeView } from '../model/cache-view.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { userName } from './manner.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatMs, formatPlural } from './quantity.ts';
import { chooseEnvironment } from './where.ts';

interface PurgeOptions extends EnvironmentOptions {
  path?: readonly string[];
  prefix?: readonly string[];
  tag?: readonly string[];
  everything?: boolean;
}

export const purgeCommand = command<PurgeOptions>({
  name: 'purge',
  summary: 'use kept answers no more; returns when no worker does',
  description:
    'What is kept of these is not used any more, under all names of the environment; returns when every edge worker goes by it. Several may be named at once; where one is malformed, nothing is purged.',
  options: [
    {
      flags: '--path <path...>',
      description: 'one path, with any query unless one is written; ending with *, a prefix',
    },
    { flags: '--prefix <prefix...>', description: 'everything that begins so, as in /assets/' },
    {
      flags: '--tag <tag...>',
      description: 'what the app gave this Cache-Tag, or its rule this tag',
    },
    { flags: '--everything', description: 'all that is kept of the environment' },
    ...environmentOptions,
  ],
  examples: [
    ['belay cache purge --path /index.html', 'one page'],
    ['belay cache purge --prefix /assets/ --tag catalog', 'several at once'],
    ['belay cache purge --everything', 'start anew'],
  ],
  async run(context, options) {
    const params = await chooseEnvironment(context, options);
    const body = { purges: purgesOf(options), by: userName() };
    const view = await context.client().call('purgeCache', { params, body });
    answer(context, view, () => render(context, view));
    return view.snapshot === null ? exitCodes.failed : exitCodes.ok;
  },
});

function purgesOf({ path = [], prefix = [], tag = [], everything }: PurgeOptions): PurgeRequest[] {
  return [
    ...path.map((value) => ({ kind: 'path' as const, value })),
    ...prefix.map((value) => ({ kind: 'prefix' as const, value })),
    ...tag.map((value) => ({ kind: 'tag' as const, value })),
    ...(everything ? [{ kind: 'everything' as const, value: '' }] : []),
  ];
}

function render(
  context: Context,
  { application, environment, purged, snapshot, workers, tookMs }: PurgeView,
): string[] {
  const { paint } = context.stdout;
  const key = `${application}/${environment}`;
  const lines = purged.map((each) => `  ${textOf(each)}`);
  if (snapshot === null) {
    return [
      `On record to be purged from the cache of ${key}:`,
      ...lines,
      paint.yellow('The edge cannot be reached, and follows when it is back: do not purge again.'),
    ];
  }
  return [
    `${paint.green('✓')} Purged from the cache of ${key}:`,
    ...lines,
    paint.dim(
      `  acknowledged by ${formatPlural(workers, 'worker')} in ${formatMs(tookMs)}, snapshot ${snapshot}`,
    ),
  ];
}

function textOf({ kind, value }: PurgeRequest): string {
  if (kind === 'everything') return 'everything';
  if (kind === 'tag') return `what is tagged ${value}`;
  if (kind === 'prefix') return `what begins with ${value}`;
  return value.includes('?') ? value : `${value}, with any query`;
}
