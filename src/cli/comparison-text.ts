import { type Change, type Comparison, hasDifferences, NOTHING } from './comparison.ts';
import { MASK } from './mask.ts';
import type { Paint } from './paint.ts';
import { formatPlural } from './quantity.ts';
import { renderTable } from './table.ts';

/** A comparison for people: files as a list, values side by side. */

interface Rendering {
  /** Show the values of variables. */
  reveal: boolean;
  paint: Paint;
}

const MAX_FILES = 20;
const NOT_SET = '–';

export function renderComparison(comparison: Comparison, { reveal, paint }: Rendering): string[] {
  const { before, after } = comparison;
  if (before === NOTHING) return renderFirst(comparison);
  const heading = `${paint.bold(before)} → ${paint.bold(after)}`;
  if (!hasDifferences(comparison)) return [heading, '', 'No difference.'];
  const value = (side: string | null) => side ?? NOT_SET;
  const masked = (side: string | null) => (side === null || reveal ? value(side) : MASK);
  // Two masks alike would look as if nothing had changed.
  const variables = comparison.variables.map((change) => ({
    ...change,
    key: change.before === null || change.after === null ? change.key : `${change.key} (changed)`,
  }));
  return [
    heading,
    ...renderFiles(comparison, paint),
    ...renderChanges('Configuration', comparison.configuration, value, comparison, paint),
    ...renderChanges('Variables', variables, masked, comparison, paint),
  ];
}

/** Before the first release everything is new, and a list of it says nothing. */
function renderFirst({ files, after }: Comparison): string[] {
  const size = formatPlural(files.added.length, 'file');
  return [
    `Nothing runs here yet, so there is nothing to compare ${after} with (${size}).`,
    'Start it with: belay up',
  ];
}

function renderFiles({ files }: Comparison, paint: Paint): string[] {
  const lines = [
    ...files.added.map((path) => paint.green(`  + ${path}`)),
    ...files.changed.map((path) => paint.yellow(`  ~ ${path}`)),
    ...files.removed.map((path) => paint.red(`  - ${path}`)),
  ];
  if (lines.length === 0) return [];
  const more = lines.length - MAX_FILES;
  return [
    '',
    `Files: ${files.added.length} added, ${files.changed.length} changed, ${files.removed.length} removed`,
    ...lines.slice(0, MAX_FILES),
    ...(more > 0
      ? [paint.dim(`  and ${formatPlural(more, 'more file')}; --json has them all`)]
      : []),
  ];
}

function renderChanges(
  title: string,
  changes: readonly Change[],
  show: (side: string | null) => string,
  { before, after }: Comparison,
  paint: Paint,
): string[] {
  if (changes.length === 0) return [];
  const table = renderTable(
    [{ title: '' }, { title: before }, { title: after }],
    changes.map((change) => [change.key, show(change.before), show(change.after)]),
    paint,
  );
  return ['', title, ...table.map((line) => `  ${line}`)];
}
