import { cpus, release } from 'node:os';

/** What every measurement says: ours, the peer's or the bound it is held to, and their ratio. */
export interface Row {
  name: string;
  ours: number;
  /** Whose figure `peer` is, where there is more than one it could be. */
  beside: string | null;
  /** Null where there is nothing to compare with. */
  peer: number | null;
  ratio: number | null;
  unit: string;
  bound: Bound | null;
  /** Whether the bound is kept; null without one. */
  holds: boolean | null;
}

/** What a figure, or its ratio to the peer's, is held to. */
export interface Bound {
  of: 'ours' | 'ratio';
  limit: 'at most' | 'at least';
  value: number;
}

export function row(name: string, ours: number, peer: number | null, unit: string): Row {
  return {
    name,
    ours: rounded(ours),
    beside: null,
    peer: peer === null ? null : rounded(peer),
    ratio: peer === null ? null : rounded(ours / peer),
    unit,
    bound: null,
    holds: null,
  };
}

/** A row beside somebody by name. */
export const beside = (name: string, of: Row): Row => ({ ...of, beside: name });

/** A row held to a bound; as it is without one, or where the bound's figure is missing. */
export function held(of: Row, bound: Bound | undefined): Row {
  const figure = bound && of[bound.of];
  if (bound === undefined || figure === null || figure === undefined) return of;
  const holds = bound.limit === 'at most' ? figure <= bound.value : figure >= bound.value;
  return { ...of, bound, holds };
}

/** Rows as one line of JSON with `--json`, else as a table under a line about the machine. */
export function report(rows: readonly Row[]): void {
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const head = ['name', 'ours', 'beside', 'peer or bound', 'ratio', 'unit', 'bound', 'holds'];
  const cells = [head, ...rows.map(cellsOf)];
  const widths = head.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = cells.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return NUMBER_COLUMNS.has(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(`${machine()}\n\n${lines.join('\n')}\n`);
}

/** Ours, the peer's and their ratio, of the columns of the table. */
const NUMBER_COLUMNS = new Set([1, 3, 4]);

const cellsOf = (each: Row): string[] => [
  each.name,
  `${each.ours}`,
  each.beside ?? '',
  `${each.peer ?? ''}`,
  `${each.ratio ?? ''}`,
  each.unit,
  each.bound === null ? '' : `${each.bound.of} ${each.bound.limit} ${each.bound.value}`,
  each.holds === null ? '' : each.holds ? 'yes' : 'NO',
];

/** Figures mean nothing without the machine they were taken on. */
function machine(): string {
  const [first] = cpus();
  return `${cpus().length} cores (${first?.model.trim()}), Linux ${release()}, Node ${process.versions.node}`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 ? (low + high) / 2 : high;
}

const rounded = (value: number): number => Number(value.toPrecision(3));
