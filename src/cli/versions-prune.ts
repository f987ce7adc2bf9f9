import type { Pruning } from '../model/lifecycle.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { formatBytes, formatPlural } from './quantity.ts';
import { renderTable } from './table.ts';

/** Removes the files of an application's versions, or tells what would be removed. */
export async function pruneVersions(
  context: Context,
  application: string,
  options: { dryRun: boolean; keep: number | null },
): Promise<number> {
  const params = { application };
  const pruning = await context.client().call('prune', { params, body: options });
  answer(context, { application, ...pruning }, () => prunedLines(context, application, pruning));
  return exitCodes.ok;
}

function prunedLines(
  context: Context,
  application: string,
  { dryRun, removed, freedBytes }: Pruning,
): string[] {
  const { paint } = context.stdout;
  if (removed.length === 0) return [`Nothing of ${application} can go: every version is needed.`];
  const rows = removed.map(({ application: owner, label, sizeBytes, reason }) => [
    owner === application ? label : `${owner} ${label}`,
    formatBytes(sizeBytes),
    reason,
  ]);
  const columns = [
    { title: 'VERSION' },
    { title: 'SIZE', align: 'right' as const },
    { title: 'WHY' },
  ];
  const count = `the files of ${formatPlural(removed.length, 'version')}`;
  const room = formatBytes(freedBytes);
  const total = dryRun
    ? `Would remove ${count}: ${room}. Nothing was removed.`
    : `${paint.green('✓')} Removed ${count}: ${room} freed.`;
  return [...renderTable(columns, rows, paint), '', total];
}
