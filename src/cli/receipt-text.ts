import type { Receipt } from '../model/receipt.ts';
import type { DeploymentView } from '../model/view.ts';
import type { Paint } from './paint.ts';
import { padTo, widthOf } from './paint.ts';
import { formatCount, formatDuration, formatMs } from './quantity.ts';

/** The account of an operation, drawn as what it is named after. */

const COLUMNS = 38;

export function renderReceipt(deployment: DeploymentView, paint: Paint): string[] {
  const { receipt } = deployment;
  if (!receipt) return [];
  const edge = `${'╶'.padEnd(COLUMNS + 3, '╌')}╴`;
  const body = [
    paint.bold(titleOf(deployment)),
    paint.dim(changeOf(deployment)),
    '',
    ...countsOf(receipt, paint).map(([name, value]) => leader(name, value, paint)),
    '',
    leader('p50', formatMs(receipt.p50Ms), paint),
    leader('p99', formatMs(receipt.p99Ms), paint),
    leader('duration', formatDuration(receipt.durationMs), paint),
    ...costsOf(deployment).map(([name, value]) => leader(name, value, paint)),
  ];
  return [paint.dim(edge), ...body.map((line) => `  ${line}`.trimEnd()), paint.dim(edge)];
}

/** What the release took beside its requests: each hook, and the slowest start of an instance. */
function costsOf({ hooks, boot }: DeploymentView): [string, string][] {
  const rows = hooks.flatMap(({ hook, state, startedAt, endedAt }): [string, string][] => {
    if (state === 'kept') return [[hook, 'made before']];
    if (startedAt === null || endedAt === null) return [];
    return [[hook, formatDuration(endedAt - startedAt)]];
  });
  if (boot === null) return rows;
  rows.push(['slowest start', formatDuration(boot.bootMs)]);
  if (boot.bootstrapMs !== null) rows.push(['its bootstrap', formatDuration(boot.bootstrapMs)]);
  return rows;
}

/** Requests and losses are always there; the rarer counts only when there is something to say. */
function countsOf(receipt: Receipt, paint: Paint): [string, string][] {
  const bad = (count: number) => (count === 0 ? paint.green('0') : paint.red(formatCount(count)));
  const rows: [string, string][] = [
    ['requests', formatCount(receipt.requests)],
    ['lost', bad(receipt.lost)],
    ['retried', formatCount(receipt.retried)],
    ['drained', formatCount(receipt.drained)],
    ['cut', receipt.cut === 0 ? '0' : paint.yellow(formatCount(receipt.cut))],
    ['app errors', receipt.appErrors === 0 ? '0' : paint.yellow(formatCount(receipt.appErrors))],
    ['shed', formatCount(receipt.shed)],
  ];
  if (receipt.clientAborted > 0) rows.push(['left by clients', formatCount(receipt.clientAborted)]);
  if (receipt.unaccounted > 0) {
    rows.push(['unaccounted', paint.yellow(`≤ ${formatCount(receipt.unaccounted)}`)]);
  }
  return rows;
}

function leader(name: string, value: string, paint: Paint): string {
  const dots = COLUMNS - name.length - widthOf(value) - 2;
  return `${name} ${paint.dim('.'.repeat(Math.max(1, dots)))} ${value}`;
}

const titleOf = ({ environment, kind, number }: DeploymentView): string =>
  `${padTo(environment, COLUMNS - `${kind} ${number}`.length - 1)} ${kind} ${number}`;

/** `v3, release 7 → v4, release 8`. */
export function changeOf(deployment: DeploymentView): string {
  const side = (version: string | null, release: number) =>
    version === null ? `release ${release}` : `${version}, release ${release}`;
  const to = side(deployment.toVersion, deployment.to);
  return deployment.from === null ? to : `${side(deployment.fromVersion, deployment.from)} → ${to}`;
}
