import type { Account } from '../plan/simulation/account.ts';
import type { Setting } from '../plan/simulation/rule.ts';
import type { SimulatedMinute } from '../plan/simulation/simulate.ts';
import type { Trace } from '../plan/simulation/trace.ts';
import type { Output } from './output.ts';
import { formatCount, formatPlural } from './quantity.ts';
import { renderTable } from './table.ts';

/** What a simulation came to, for a person. */

const BARS = '▁▂▃▄▅▆▇█';
const WIDEST = 72;

export function renderSimulation(
  name: string,
  trace: Trace,
  setting: Setting,
  account: Account,
  minutes: readonly SimulatedMinute[],
  { paint, columns }: Output,
): string[] {
  const { minutesShort, instanceMinutes, oracleInstanceMinutes, costRatio, actions } = account;
  const width = Math.min(WIDEST, columns - 28);
  const requests = minutes.map((minute) => minute.requests);
  const serving = minutes.map((minute) => minute.serving);
  const mark = minutesShort === 0 ? paint.green('✓') : paint.yellow('!');
  return [
    ...heading(name, trace, setting, (text) => paint.dim(text)),
    `${paint.dim('load      ')}  ${bars(requests, width)}  ${range(requests)} a minute`,
    `${paint.dim('instances ')}  ${bars(serving, width)}  ${range(serving)}`,
    '',
    `${mark} ${account.rule}: ${shortText(account)}`,
    `  ${formatCount(Math.round(instanceMinutes))} instance-minutes, ${paint.bold(`${costRatio.toFixed(2)} ×`)} the ${formatCount(oracleInstanceMinutes)} of an oracle that has just enough in every minute`,
    `  ${formatPlural(actions, 'change')} of how many are desired`,
  ];
}

export function renderComparison(
  name: string,
  trace: Trace,
  setting: Setting,
  accounts: readonly Account[],
  { paint }: Output,
): string[] {
  const rows = accounts.map(({ rule, minutesShort, instanceMinutes, costRatio, actions }) => [
    rule,
    formatCount(minutesShort),
    formatCount(Math.round(instanceMinutes)),
    costRatio.toFixed(2),
    formatCount(actions),
  ]);
  const oracle = formatCount(accounts[0]?.oracleInstanceMinutes ?? 0);
  const columns = ['rule', 'minutes short', 'instance-minutes', '× oracle', 'changes'];
  return [
    ...heading(name, trace, setting, (text) => paint.dim(text)),
    ...renderTable(
      columns.map((title, index) => ({ title, align: index === 0 ? 'left' : 'right' })),
      [...rows, ['oracle', '0', oracle, '1.00', '']],
      paint,
    ),
  ];
}

function heading(
  name: string,
  { requests }: Trace,
  { unit, min, bootMs }: Setting,
  dim: (text: string) => string,
): string[] {
  return [
    `${name}: ${formatPlural(requests.length, 'minute')}`,
    dim(
      `an instance answers ${formatCount(unit)} requests a minute and boots in ${bootMs / 1000} s; never fewer than ${min}`,
    ),
    '',
  ];
}

function shortText({ minutesShort, minutes }: Account): string {
  if (minutesShort === 0) return 'enough instances in every minute';
  const share = percentOf(minutesShort, minutes);
  return `too few instances in ${formatPlural(minutesShort, 'minute')} (${share})`;
}

/** Two figures of it: a few minutes of many thousands are no 0 %. */
const percentOf = (part: number, whole: number): string =>
  `${Number(((100 * part) / whole).toPrecision(2))} %`;

/** The highest of each stretch, so that no peak is lost; 0 is the lowest bar. */
function bars(values: readonly number[], width: number): string {
  const most = highest(values);
  const wide = Math.max(1, values.length / width);
  return Array.from({ length: Math.min(width, values.length) }, (_, index) => {
    const stretch = values.slice(Math.floor(index * wide), Math.floor((index + 1) * wide));
    const level = most === 0 ? 0 : Math.ceil((highest(stretch) / most) * (BARS.length - 1));
    return BARS[level] ?? '';
  }).join('');
}

function range(values: readonly number[]): string {
  const lowest = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  return `${formatCount(lowest)} to ${formatCount(highest(values))}`;
}

const highest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), 0);
