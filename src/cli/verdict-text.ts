import type { Receipt } from '../model/receipt.ts';
import type { DeploymentView } from '../model/view.ts';
import type { Paint } from './paint.ts';
import { formatCount, formatDuration, formatPlural } from './quantity.ts';
import { renderReceipt } from './receipt-text.ts';
import { commandFor } from './where.ts';

/** How a deployment ended: the log that explains a failure, the receipt, and the verdict. */

const MAX_LOG_LINES = 50;

export function renderVerdict(deployment: DeploymentView, paint: Paint): string[] {
  const receipt = renderReceipt(deployment, paint);
  return [
    ...renderLogTail(deployment.logTail, paint),
    ...receipt,
    ...(receipt.length > 0 ? [''] : []),
    ...verdictOf(deployment, paint),
    ...toleratedFailures(deployment, paint),
  ];
}

/** Of hooks whose failure is only told. */
const toleratedFailures = ({ state, hooks }: DeploymentView, paint: Paint): string[] =>
  state !== 'succeeded'
    ? []
    : hooks.flatMap(({ hook, cause }) =>
        cause === null
          ? []
          : [
              paint.yellow(
                `  ${cause}, and was let pass; read why with: belay logs --hook ${hook}`,
              ),
            ],
      );

function renderLogTail(lines: readonly string[], paint: Paint): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(-MAX_LOG_LINES);
  return [
    paint.dim(`Its last ${formatPlural(shown.length, 'log line')}:`),
    ...shown.map((line) => `  ${paint.dim('│')} ${line}`),
    '',
  ];
}

function verdictOf(deployment: DeploymentView, paint: Paint): string[] {
  const cause = deployment.cause ?? 'no cause was recorded';
  const took = formatDuration((deployment.endedAt ?? deployment.startedAt) - deployment.startedAt);
  const old = deployment.fromVersion ?? `release ${deployment.from ?? '?'}`;
  switch (deployment.state) {
    case 'succeeded':
      return [
        `${paint.green('✓')} ${paint.bold(`${successOf(deployment)} in ${took}.`)}${lossOf(deployment.receipt)}`,
      ];
    case 'rolled-back':
      return [
        `${paint.red('✗')} ${paint.bold(`Rolled back to ${old}: ${cause}.`)}${lossOf(deployment.receipt)}`,
      ];
    case 'aborted':
      return [
        `${paint.yellow('↩')} ${paint.bold(`Aborted: ${old} runs as before.`)}${lossOf(deployment.receipt)}`,
      ];
    case 'failed':
      return [
        `${paint.red('✗')} ${paint.bold(`Failed: ${cause}.`)}`,
        `  ${paint.dim('Next: ')} ${nextAfterFailure(deployment)}`,
      ];
    default:
      return [`${paint.cyan('·')} ${deployment.kind} ${deployment.number} goes on.`];
  }
}

/** Nothing was there to go back to, or going back failed as well. */
function nextAfterFailure({ environment, from }: DeploymentView): string {
  const [application = '', name = ''] = environment.split('/');
  const where = { application, environment: name };
  return from === null
    ? `correct it and deploy again, or take the environment away with: ${commandFor('down', where)}`
    : `see what runs with: ${commandFor('status', where)}`;
}

function successOf({ kind, to, toVersion }: DeploymentView): string {
  const what = toVersion === null ? `release ${to}` : `${toVersion} as release ${to}`;
  if (kind === 'rollback') return `Back to ${what}`;
  if (kind === 'restart') return `Restarted ${what}`;
  if (kind === 'rebuild') return `Rebuilt with ${what}`;
  if (kind === 'env') return `Variables changed: ${what}`;
  if (kind === 'resize') return `Resized ${what}`;
  return `Deployed ${what}`;
}

function lossOf(receipt: Receipt | null): string {
  if (!receipt || receipt.requests === 0) return '';
  if (receipt.lost > 0)
    return ` ${formatCount(receipt.lost)} of ${formatPlural(receipt.requests, 'request')} lost.`;
  return receipt.requests === 1
    ? ' The one request that came was not lost.'
    : ` Not one of ${formatCount(receipt.requests)} requests was lost.`;
}
