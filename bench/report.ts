import { cpus, release } from 'node:os';

/** What every measurement says: ours, the peer's or the bound it is held to, and their ratio. */
export interface Row {
  name: string;
  ours: number;
  /** Null where there is nothing to compare with. */
  peer: number | null;
  ratio: number | null;
  unit: string;
}

export function row(name: string, ours: number, peer: number | null, unit: string): Row {
  return {
    name,
    ours: rounded(ours),
    peer: peer === null ? null : rounded(peer),
    ratio: peer === null ? null : rounded(ours / peer),
    unit,
  };
}

/** Rows as one line of JSON with `--json`, else as a table under a line about the machine. */
export function report(rows: readonly Row[]): void {
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const head = { name: 'name', ours: 'ours', peer: 'peer or bound', ratio: 'ratio', unit: 'unit' };
  const cells = [head, ...rows].map((each) => [
    each.name,
    `${each.ours}`,
    `${each.peer ?? ''}`,
    `${each.ratio ?? ''}`,
    each.unit,
  ]);
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = cells.map((line) =>
    line
      .map((cell, column) => {
        const width = widths?.[column] ?? 0;
        return column === 0 || column === 4 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(`${machine()}\n\n${lines.join('\n')}\n`);
}

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
