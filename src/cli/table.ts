import type { Paint } from './paint.ts';
import { padTo, widthOf } from './paint.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

const GAP = '  ';

/** Columns as wide as their widest cell; the last one runs on. An empty column is left out. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string[] {
  const used = columns.map((_, index) => rows.some((row) => (row[index] ?? '') !== ''));
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
  const draw = (cells: readonly string[], ink: (text: string) => string) =>
    columns
      .map(({ align }, index) => ink(padTo(cells[index] ?? '', widths[index] ?? 0, align)))
      .filter((_, index) => used[index])
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  return [draw(titles, (text) => text), ...rows.map((row) => draw(row, (text) => text))].map(
    (line, index) => (index === 0 ? paint.dim(line) : line),
  );
}
