import type { CacheCounts, CacheRoom } from '../model/cache.ts';
import { type CachesView, type CacheView, savedRequests } from '../model/cache-view.ts';
import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { appOption, environmentOption } from './options.ts';
import type { Paint } from './paint.ts';
import { formatBytes, formatCount, formatPercent } from './quantity.ts';

export const statusCommand = command<{ app?: string; environment?: string }>({
  name: 'status',
  summary: 'what the caches answer, and what that saves',
  description:
    'Shows of every environment that has a cache how much of what is asked it answers, and what the edge keeps. Counts go back to the start of the edge’s account.',
  options: [
    { ...appOption, description: 'one application; all when left out' },
    { flags: environmentOption.flags, description: 'one environment; all when left out' },
  ],
  examples: [['belay cache status', 'hit ratios, and what is kept']],
  async run(context, { app, environment }) {
    const { environments, ...edge } = await context.client().call('caches');
    const chosen = environments.filter(
      (each) =>
        (app === undefined || each.application === app) &&
        (environment === undefined || each.environment === environment),
    );
    const shown = { ...edge, environments: chosen.map((each) => ({ ...each, ...ratiosOf(each) })) };
    answer(context, shown, () => render({ ...edge, environments: chosen }, context.stdout.paint));
    return exitCodes.ok;
  },
});

/** In per cent; null: nothing was asked. */
function ratiosOf({ counts }: Pick<CacheView, 'counts'>) {
  const { savedBytes, appBytes } = counts;
  return {
    requests: requestsOf(counts),
    savedRequests: savedRequests(counts),
    hitPercent: percentOf(savedRequests(counts), requestsOf(counts)),
    // Where nobody counts what comes from the app, all of it would seem to be saved.
    hitBytesPercent: appBytes === 0 ? null : percentOf(savedBytes, savedBytes + appBytes),
  };
}

/** Of clients, through the cache. */
const requestsOf = (counts: CacheCounts): number =>
  savedRequests(counts) + counts.stored + counts.passed;

const percentOf = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part * 1_000) / whole) / 10;

function render(view: CachesView, paint: Paint): string[] {
  const cached = view.environments.filter(({ policy }) => policy !== null);
  if (cached.length === 0) {
    const [only, ...others] = view.environments;
    const whose =
      only && others.length === 0 ? `${only.application}/${only.environment}` : 'any app';
    return [
      `The edge keeps no answers of ${whose}.`,
      "Turn a cache on in belay.config.ts, as in: edge: { cache: { '/assets/*': '1d' } }",
    ];
  }
  return [
    ...cached.flatMap((each) => [...environmentLines(each, paint), '']),
    ...roomLines(view, paint),
  ];
}

function environmentLines(view: CacheView, paint: Paint): string[] {
  const { application, environment, counts } = view;
  const { requests, savedRequests: saved, hitPercent, hitBytesPercent } = ratiosOf(view);
  const title = paint.bold(`${application}/${environment}`);
  if (requests === 0) return [`${title}  nothing was asked yet`];
  const [hits, stale, collapsed, stored, passed, refreshes] = [
    counts.hits,
    counts.stale,
    counts.collapsed,
    counts.stored,
    counts.passed,
    counts.refreshes,
  ].map(formatCount);
  return [
    `${title}  answers ${formatPercent(hitPercent)} of requests, ${formatPercent(hitBytesPercent)} of bytes`,
    `  ${formatCount(saved)} of ${formatCount(requests)} did not reach the app: ${hits} fresh, ${stale} stale, ${collapsed} collapsed`,
    `  ${formatCount(requests - saved)} did: ${stored} stored, ${passed} passed; and ${refreshes} to refresh what is kept`,
    `  ${formatBytes(counts.savedBytes)} did not come from it`,
  ];
}

/** What is kept, by worker where there are several. */
function roomLines(view: CachesView, paint: Paint): string[] {
  return [
    ...view.workers.map(({ pid, memory }) => {
      const of = view.workers.length === 1 ? '' : ` of worker ${pid}`;
      return roomLine(`memory${of}`, memory, view.memoryBoundBytes, paint);
    }),
    view.diskBoundBytes === 0
      ? 'disk: nothing is kept there'
      : roomLine('disk', view.disk, view.diskBoundBytes, paint),
  ];
}

function roomLine(place: string, room: CacheRoom | null, boundBytes: number, paint: Paint): string {
  if (room === null) return `${place}: ${paint.dim('not known')}`;
  const used = `${formatBytes(room.sizeBytes)} of ${formatBytes(boundBytes)}`;
  if (room.count === null) return `${place}: ${used}`;
  return `${place}: ${used}, ${formatCount(room.count)} ${room.count === 1 ? 'answer' : 'answers'}`;
}
