import { formatDuration } from '../config/duration.ts';
import type {
  GroupPoint,
  InstanceMetricsView,
  InstancePoint,
  MetricsView,
} from '../model/metrics.ts';
import { barsOver } from './chart.ts';
import { cutTo, type Paint } from './paint.ts';
import { formatBytes, formatCount, formatMs, formatPercent, formatRate } from './quantity.ts';
import { type Column, renderTable } from './table.ts';

/** What is measured, as charts and as lines. Pure. */

export type Shown = MetricsView | InstanceMetricsView;

/** A row of the charts. */
interface Metric<Point> {
  title: string;
  read: (point: Point) => number | null;
  format: (value: number) => string;
  /** Left out where it never was above 0. */
  seldom?: boolean;
}

const perSecond = (perMinute: number | null): number | null =>
  perMinute === null ? null : perMinute / 60;
const rate = (value: number): string => `${formatRate(value)}/s`;
const plain = (value: number): string =>
  value >= 100 ? formatCount(Math.round(value)) : String(Number(value.toFixed(1)));

const groupMetrics: readonly Metric<GroupPoint>[] = [
  {
    title: 'requests',
    read: ({ requestsPerMinute }) => perSecond(requestsPerMinute),
    format: rate,
  },
  {
    title: 'from cache',
    read: ({ cachedPerMinute }) => perSecond(cachedPerMinute),
    format: rate,
    seldom: true,
  },
  { title: 'p50', read: ({ p50Ms }) => p50Ms, format: formatMs },
  { title: 'p99', read: ({ p99Ms }) => p99Ms, format: formatMs },
  { title: '5xx', read: ({ errorsPerMinute }) => perSecond(errorsPerMinute), format: rate },
  { title: 'in flight', read: ({ concurrency }) => concurrency, format: plain },
  { title: 'waiting', read: ({ waiting }) => waiting, format: plain, seldom: true },
  { title: 'CPU', read: ({ cpuPercent }) => cpuPercent, format: formatPercent },
  { title: 'memory', read: ({ memoryBytes }) => memoryBytes, format: formatBytes },
  { title: 'instances', read: ({ instances }) => instances, format: plain },
];

const instanceMetrics: readonly Metric<InstancePoint>[] = [
  { title: 'requests', read: ({ requestsPerSecond }) => requestsPerSecond, format: rate },
  { title: 'p50', read: ({ p50Ms }) => p50Ms, format: formatMs },
  { title: 'p99', read: ({ p99Ms }) => p99Ms, format: formatMs },
  { title: '5xx', read: ({ errorsPerSecond }) => errorsPerSecond, format: rate },
  { title: 'in flight', read: ({ inFlight }) => inFlight, format: plain },
  { title: 'CPU', read: ({ cpuPercent }) => cpuPercent, format: formatPercent },
  { title: 'memory', read: ({ memoryBytes }) => memoryBytes, format: formatBytes },
];

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: '' },
  { title: 'NOW', align: 'right' },
  { title: 'MIN', align: 'right' },
  { title: 'MAX', align: 'right' },
];
/** What is beside the bars: the titles and three figures. */
const COLUMNS_BESIDE = 46;
const MIN_BARS = 10;
const MAX_BARS = 60;
const UNKNOWN = '–';

export interface Span {
  /** The end of what is shown. */
  now: number;
  lastMs: number;
}

export function renderMetrics(shown: Shown, span: Span, width: number, paint: Paint): string[] {
  const lines = [titleOf(shown, span, paint), '', ...tableOf(shown, span, width, paint)];
  return lines.map((line) => cutTo(line, width));
}

function titleOf(shown: Shown, { now, lastMs }: Span, paint: Paint): string {
  const name = 'instance' in shown ? shown.instance : `${shown.application}/${shown.environment}`;
  const by = shown.periodMs < 60_000 ? 'second' : 'minute';
  const until = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return `${paint.bold(name)}  the last ${formatDuration(lastMs)}, by the ${by}, until ${until}`;
}

function tableOf(shown: Shown, span: Span, width: number, paint: Paint): string[] {
  if (shown.points.length === 0) return ['Nothing was measured in this time.'];
  const room = Number.isFinite(width) ? width - COLUMNS_BESIDE : MAX_BARS;
  // Two readings to a bar at least: a second that ends a little late must not look like a gap.
  const readable = Math.floor(span.lastMs / shown.periodMs / 2);
  const bars = Math.max(MIN_BARS, Math.min(MAX_BARS, room, readable));
  const rows =
    'instance' in shown
      ? rowsOf(shown.points, instanceMetrics, span, bars, paint)
      : rowsOf(shown.points, [...groupMetrics, ...reportedMetrics(shown)], span, bars, paint);
  return renderTable(COLUMNS, rows, paint);
}

/** Numbers of the app's own, of now and of the time that is shown. */
function reportedMetrics({ points, reported }: MetricsView): Metric<GroupPoint>[] {
  const names = new Set([
    ...Object.keys(reported),
    ...points.flatMap((each) => Object.keys(each.reported)),
  ]);
  return [...names].sort().map((name) => ({
    title: name,
    read: (point) => point.reported[name] ?? null,
    format: plain,
  }));
}

function rowsOf<Point extends { at: number }>(
  points: readonly Point[],
  metrics: readonly Metric<Point>[],
  { now, lastMs }: Span,
  bars: number,
  paint: Paint,
): string[][] {
  return metrics.flatMap(({ title, read, format, seldom }) => {
    const readings = points.map((point) => ({ at: point.at, value: read(point) }));
    const values = readings.flatMap(({ value }) => (value === null ? [] : [value]));
    if (seldom && values.every((value) => value === 0)) return [];
    const latest = readings.at(-1)?.value ?? null;
    const shown = (value: number | null) => (value === null ? UNKNOWN : format(value));
    const least = values.length === 0 ? null : Math.min(...values);
    const most = values.length === 0 ? null : Math.max(...values);
    const drawn = barsOver(readings, { from: now - lastMs, to: now }, bars);
    return [[title, paint.cyan(drawn), shown(latest), shown(least), shown(most)]];
  });
}

/** The newest of what was measured on one line, for what follows off a terminal. */
export function metricsLine(shown: Shown): string | null {
  const newest = shown.points.at(-1);
  if (newest === undefined) return null;
  const time = new Date(newest.at).toISOString().slice(11, 19);
  const figures =
    'instance' in shown
      ? figuresOf(shown.points.at(-1), instanceMetrics)
      : figuresOf(shown.points.at(-1), [...groupMetrics, ...reportedMetrics(shown)]);
  return [`${time}Z`, ...figures].join('  ');
}

function figuresOf<Point>(point: Point | undefined, metrics: readonly Metric<Point>[]): string[] {
  if (point === undefined) return [];
  return metrics.map(({ title, read, format }) => {
    const value = read(point);
    return `${title} ${value === null ? UNKNOWN : format(value)}`;
  });
}
