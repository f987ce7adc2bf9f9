import type { Paint } from './paint.ts';
import { cutTo, widthOf } from './paint.ts';
import {
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  formatPlural,
  formatRate,
} from './quantity.ts';
import { healthInk } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { environmentKey, instanceKey, RATES_KEPT, type TopHistory } from './top-history.ts';
import type { EnvironmentRates, InstanceRates, Rates } from './top-rates.ts';

/** One frame of `belay top`, as lines that fit. Pure. */

export interface Frame {
  rates: Rates;
  history: TopHistory;
  /** What else there is to say, such as that the daemon is away; empty otherwise. */
  notice: string;
  /** Infinite off a terminal. */
  columns: number;
  rows: number;
  paint: Paint;
}

const BARS = '▁▂▃▄▅▆▇█';
/** Of an environment besides its instances: a space, itself, the titles. */
const LINES_AROUND = 3;

export function renderTop(frame: Frame): string[] {
  const { rates, columns, rows } = frame;
  const shown = instancesShown(rates.environments, rows - 1);
  const lines = [
    titleOf(frame),
    ...rates.environments.flatMap((environment) => [
      '',
      environmentLine(environment, frame),
      ...instanceLines(environment, frame, shown),
    ]),
    ...(rates.environments.length === 0
      ? ['', 'Nothing runs. Start an application with: belay up DIR']
      : []),
  ];
  return lines.slice(0, rows).map((line) => cutTo(line, columns));
}

/** How many instances of each environment there is room for: the same for all. */
function instancesShown(environments: readonly EnvironmentRates[], rows: number): number {
  const heightWith = (most: number) =>
    environments.reduce((height, { instances }) => {
      const more = instances.length > most ? 1 : 0;
      return height + LINES_AROUND + Math.min(most, instances.length) + more;
    }, 0);
  let most = Math.max(0, ...environments.map(({ instances }) => instances.length));
  while (most > 0 && heightWith(most) > rows) most -= 1;
  return most;
}

function titleOf({ rates, history, notice, columns, paint }: Frame): string {
  const time = new Date(rates.at).toISOString().slice(11, 19);
  const edge = `${formatPlural(rates.workers, 'edge worker')}, snapshot ${rates.snapshot}`;
  const { turnedAway } = history;
  const away =
    turnedAway === 0 ? '' : paint.yellow(`, ${formatPlural(turnedAway, 'connection')} turned away`);
  const left = `${paint.bold('belay top')}  ${time}Z  ${edge}${away}`;
  const right = notice === '' ? paint.dim('q quits') : paint.yellow(notice);
  if (columns === Number.POSITIVE_INFINITY) return left;
  const gap = columns - widthOf(left) - widthOf(right);
  return gap < 2 ? `${left}  ${right}` : left + ' '.repeat(gap) + right;
}

/** As many of its facts as there is room for, the most telling first. */
function environmentLine(environment: EnvironmentRates, frame: Frame): string {
  const { history, columns, paint } = frame;
  const { health, cause, errorsPerSecond, requestsPerSecond, p50Ms, p99Ms, inFlight } = environment;
  const { lost = 0, shed = 0 } = history.totals.get(environmentKey(environment)) ?? {};
  const alarming = (count: number, text: string) => (count > 0 ? paint.red(text) : text);
  const parts = [
    `${paint.bold(environmentKey(environment))} ${paint[healthInk[health]](`● ${health}`)}`,
    `${paint.bold(formatRate(requestsPerSecond))} req/s`,
    `p50 ${formatMs(p50Ms)}`,
    `p99 ${formatMs(p99Ms)}`,
    alarming(errorsPerSecond, `${formatRate(errorsPerSecond)} 5xx/s`),
    alarming(lost, `${formatCount(lost)} lost`),
    shed > 0 ? paint.yellow(`${formatCount(shed)} shed`) : '0 shed',
    `${formatCount(inFlight)} in flight`,
  ];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (line !== '' && widthOf(longer) > columns) return line;
    line = longer;
  }
  return health === 'ok' || health === 'info' ? line : `${line}  ${paint.dim(cause)}`;
}

/** Columns in their order; the higher `spare`, the sooner a narrow terminal goes without. */
interface InstanceColumn extends Column {
  spare: number;
  cell: (instance: InstanceRates, bars: string, paint: Paint) => string;
}

const instanceColumns: readonly InstanceColumn[] = [
  { title: 'INSTANCE', spare: 0, cell: ({ id }) => id },
  { title: 'ZONE', spare: 4, cell: ({ zone }) => zone },
  { title: 'RELEASE', spare: 7, cell: ({ version, release }) => version ?? String(release ?? '') },
  { title: 'STATE', spare: 0, cell: (instance, _, paint) => stateOf(instance, paint) },
  {
    title: 'REQ/S',
    align: 'right',
    spare: 0,
    cell: ({ requestsPerSecond }) => formatRate(requestsPerSecond),
  },
  { title: '', spare: 8, cell: (_, bars, paint) => paint.cyan(bars) },
  {
    title: 'IN FLIGHT',
    align: 'right',
    spare: 3,
    cell: ({ inFlight }) => formatCount(inFlight),
  },
  { title: 'P50', align: 'right', spare: 2, cell: ({ p50Ms }) => formatMs(p50Ms) },
  { title: 'P99', align: 'right', spare: 0, cell: ({ p99Ms }) => formatMs(p99Ms) },
  {
    title: '5XX/S',
    align: 'right',
    spare: 1,
    cell: ({ errorsPerSecond }, _, paint) =>
      errorsPerSecond > 0 ? paint.red(formatRate(errorsPerSecond)) : '0',
  },
  { title: 'CPU', align: 'right', spare: 5, cell: ({ cpuPercent }) => formatPercent(cpuPercent) },
  { title: 'MEMORY', align: 'right', spare: 6, cell: ({ rssBytes }) => formatBytes(rssBytes) },
];

function instanceLines(environment: EnvironmentRates, frame: Frame, most: number): string[] {
  const { history, columns, paint } = frame;
  const { instances } = environment;
  if (instances.length === 0) return [];
  const seen = (id: string) => history.requestRates.get(instanceKey(environment, id)) ?? [];
  const highest = Math.max(...instances.flatMap(({ id }) => [...seen(id)]), 0);
  const shown = instances.toSorted(byZone).slice(0, most);
  const draw = (used: readonly InstanceColumn[]) =>
    renderTable(
      used,
      shown.map((instance) =>
        used.map(({ cell }) => cell(instance, barsOf(seen(instance.id), highest), paint)),
      ),
      paint,
    ).map((line) => `  ${line}`);
  let used = instanceColumns;
  let lines = draw(used);
  while (Math.max(...lines.map(widthOf)) > columns && used.some(({ spare }) => spare > 0)) {
    const leastNeeded = Math.max(...used.map(({ spare }) => spare));
    used = used.filter(({ spare }) => spare !== leastNeeded);
    lines = draw(used);
  }
  const hidden = instances.length - shown.length;
  return hidden === 0 ? lines : [...lines, paint.dim(`  … ${formatCount(hidden)} more`)];
}

/** By place and not by traffic, so that rows stay where they are. */
const byZone = (a: InstanceRates, b: InstanceRates): number =>
  a.zone.localeCompare(b.zone) || a.id.localeCompare(b.id);

/** The one thing that is most worth knowing of it. */
function stateOf({ state, health, ejection }: InstanceRates, paint: Paint): string {
  if (ejection !== null) return paint.yellow('ejected');
  if (state !== 'in-service') return paint.yellow(state);
  return health === 'healthy' ? paint.green(health) : paint.red(health);
}

/** Empty off a terminal's second frame, when there is one value: a line of one bar says nothing. */
function barsOf(seen: readonly number[], highest: number): string {
  if (seen.length < 2) return '';
  const bars = seen.map((rate) => {
    const level = highest === 0 ? 0 : Math.ceil((rate / highest) * (BARS.length - 1));
    return BARS[level] ?? '';
  });
  return bars.join('').padStart(RATES_KEPT);
}
