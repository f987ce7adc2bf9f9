import { type Account, isShort } from '../plan/simulation/account.ts';
import type { Setting } from '../plan/simulation/rule.ts';
import type { SimulatedMinute } from '../plan/simulation/simulate.ts';
import { MINUTE_MS } from '../plan/simulation/trace.ts';
import { formatCount, formatTime } from './quantity.ts';

/**
 * A simulation as an SVG: the load as an area, what the serving instances can answer as a line above
 * it, short minutes as bars from top to bottom, and below the axis every change of `desired`, up or
 * down, with its reason for whoever points at it. It follows the reader's choice of light or dark, and
 * needs nothing but itself.
 */

const WIDTH = 1000;
const HEIGHT = 430;
const PLOT = { left: 64, right: 936, top: 72, bottom: 330 };
/** Where changes of `desired` are drawn. */
const DECISIONS = { middle: 372, height: 16 };
/** A longer trace is drawn with several minutes in a column: the one that had most to answer. */
const MOST_COLUMNS = 1440;

interface Column {
  at: number;
  requests: number;
  capacity: number;
  short: boolean;
  /** By how many instances `desired` rose and fell in it. */
  out: number;
  in: number;
  /** What each of these changes was, and why. */
  changes: readonly string[];
}

export function drawSimulation(
  title: string,
  account: Account,
  minutes: readonly SimulatedMinute[],
  setting: Setting,
): string {
  const columns = columnsOf(minutes, setting);
  const most = Math.max(
    1,
    ...columns.map(({ requests, capacity }) => Math.max(requests, capacity)),
  );
  const x = (index: number): number =>
    PLOT.left + ((PLOT.right - PLOT.left) * index) / columns.length;
  const y = (requests: number): number =>
    PLOT.bottom - ((PLOT.bottom - PLOT.top) * requests) / (most * 1.05);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    `<text x="${PLOT.left}" y="24" class="title">${escaped(title)}</text>`,
    `<text x="${PLOT.left}" y="42" class="quiet">${escaped(summaryOf(account))}</text>`,
    ...legend(),
    ...scales(most, setting, y),
    ...hours(columns, x),
    ...columns.flatMap(({ short }, index) => (short ? [shortBar(x(index), x(index + 1))] : [])),
    `<path class="load" d="${loadPath(columns, x, y)}"/>`,
    `<path class="capacity" d="${capacityPath(columns, x, y)}"/>`,
    ...decisions(columns, x),
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = `<style>
  svg { --page: #ffffff; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --load: #0969da; --capacity: #8250df; --short: #d1242f; --out: #1a7f37; --in: #bf8700 }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --ink: #f0f6fc; --quiet: #9198a1; --line: #3d444d; --load: #4493f8; --capacity: #ab7df8; --short: #f85149; --out: #3fb950; --in: #d29922 }
  }
  .page { fill: var(--page) } text { fill: var(--quiet) } .title { fill: var(--ink); font-size: 15px; font-weight: 600 }
  .line { stroke: var(--line) } .load { fill: var(--load); fill-opacity: .3; stroke: var(--load); stroke-width: 1 }
  .capacity { fill: none; stroke: var(--capacity); stroke-width: 1.6 } .short { fill: var(--short) }
  .out { fill: var(--out) } .in { fill: var(--in) } .number { text-anchor: end } .moment { text-anchor: middle }
</style>`;

function summaryOf({ rule, minutesShort, minutes, costRatio, actions }: Account): string {
  return `${rule}: ${formatCount(minutesShort)} of ${formatCount(minutes)} minutes short, ${costRatio.toFixed(2)} × the instance-minutes of an oracle, ${formatCount(actions)} changes`;
}

function legend(): string[] {
  const entries = [
    ['load', 'load'],
    ['capacity', 'capacity that serves'],
    ['short', 'short of capacity'],
    ['out', 'instances more'],
    ['in', 'instances fewer'],
  ] as const;
  const top = HEIGHT - 22;
  return entries.map(([kind, text], index) => {
    const left = PLOT.left + index * 170;
    return `<rect class="${kind}" x="${left}" y="${top}" width="14" height="10"/><text x="${left + 20}" y="${top + 9}">${text}</text>`;
  });
}

/** Requests a minute on the left, and the instances that are needed for them on the right. */
function scales(most: number, { unit }: Setting, y: (requests: number) => number): string[] {
  const step = roundStep(most / 6);
  const marks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  return [
    ...marks.flatMap((requests) => {
      const height = y(requests).toFixed(1);
      const instances = requests / unit;
      return [
        `<path class="line" d="M${PLOT.left} ${height}H${PLOT.right}"/>`,
        `<text class="number" x="${PLOT.left - 6}" y="${height}" dy="4">${shortCount(requests)}</text>`,
        `<text x="${PLOT.right + 6}" y="${height}" dy="4">${Number(instances.toFixed(1))}</text>`,
      ];
    }),
    `<text x="${PLOT.left}" y="${PLOT.top - 4}">requests a minute</text>`,
    `<text class="number" x="${PLOT.right}" y="${PLOT.top - 4}">instances</text>`,
  ];
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 2.5, 5].find((factor) => factor * power >= least) ?? 10);
}

const shortCount = (count: number): string =>
  count >= 1000 ? `${Number((count / 1000).toFixed(1))}k` : String(Number(count.toFixed(2)));

/** So many moments along the time that their texts do not touch. */
const MOMENTS = 8;

function hours(columns: readonly Column[], x: (index: number) => number): string[] {
  const first = columns[0]?.at ?? 0;
  const spanMs = (columns.at(-1)?.at ?? 0) - first;
  const digits = spanMs > 3 * 24 * 60 * MINUTE_MS ? [5, 10] : [11, 16];
  return Array.from({ length: MOMENTS }, (_, index) => {
    const column = Math.floor((index * columns.length) / MOMENTS);
    const at = columns[column]?.at ?? first;
    const left = x(column).toFixed(1);
    const text = new Date(at).toISOString().slice(...digits);
    return `<path class="line" d="M${left} ${PLOT.bottom}v5"/><text class="moment" x="${left}" y="${PLOT.bottom + 18}">${text}</text>`;
  });
}

const shortBar = (from: number, to: number): string =>
  `<rect class="short" x="${from.toFixed(1)}" y="${PLOT.top}" width="${Math.max(1.5, to - from).toFixed(1)}" height="${PLOT.bottom - PLOT.top}"/>`;

type Scale = (value: number) => number;

const loadPath = (columns: readonly Column[], x: Scale, y: Scale): string =>
  [
    `M${PLOT.left} ${PLOT.bottom}`,
    ...columns.map(({ requests }, index) => `L${x(index).toFixed(1)} ${y(requests).toFixed(1)}`),
    `H${PLOT.right}V${PLOT.bottom}Z`,
  ].join('');

/** A staircase: only where it turns. */
function capacityPath(columns: readonly Column[], x: Scale, y: Scale): string {
  const turns = columns.flatMap(({ capacity }, index) => {
    const before = columns[index - 1]?.capacity;
    if (capacity === before) return [];
    const [left, height] = [x(index).toFixed(1), y(capacity).toFixed(1)];
    return [before === undefined ? `M${left} ${height}` : `H${left}V${height}`];
  });
  return `${turns.join('')}H${PLOT.right}`;
}

/** As high as the change is large, beside the largest. */
function decisions(columns: readonly Column[], x: Scale): string[] {
  const { middle, height } = DECISIONS;
  const largest = Math.max(1, ...columns.map((column) => Math.max(column.out, column.in)));
  const long = (instances: number): number => 3 + ((height - 3) * instances) / largest;
  const bars = columns.flatMap((column, index) => {
    const left = x(index).toFixed(1);
    const bar = (kind: 'out' | 'in', top: number): string =>
      `<rect class="${kind}" x="${left}" y="${top.toFixed(1)}" width="2" height="${long(column[kind]).toFixed(1)}"><title>${escaped(column.changes.join('\n'))}</title></rect>`;
    return [
      ...(column.out > 0 ? [bar('out', middle - long(column.out))] : []),
      ...(column.in > 0 ? [bar('in', middle)] : []),
    ];
  });
  return [`<path class="line" d="M${PLOT.left} ${middle}H${PLOT.right}"/>`, ...bars];
}

function columnsOf(minutes: readonly SimulatedMinute[], setting: Setting): Column[] {
  const wide = Math.ceil(minutes.length / MOST_COLUMNS);
  const columns: Column[] = [];
  for (let index = 0; index < minutes.length; index += wide) {
    const group = minutes.slice(index, index + wide);
    const busiest = group.reduce((most, each) => (each.requests > most.requests ? each : most));
    columns.push({
      at: busiest.at,
      requests: busiest.requests,
      capacity: busiest.serving * setting.unit,
      short: group.some((minute) => isShort(minute, setting)),
      out: sum(group.map(({ desired, decided }) => Math.max(0, decided - desired))),
      in: sum(group.map(({ desired, decided }) => Math.max(0, desired - decided))),
      changes: group.filter(({ reason }) => reason !== '').map(changeText),
    });
  }
  return columns;
}

const changeText = ({ at, desired, decided, reason }: SimulatedMinute): string =>
  `${formatTime(at + MINUTE_MS).slice(0, 16)}  ${desired} → ${decided}  ${reason}`;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
