/** A row of bars of what was measured over a time. Pure. */

const BARS = '▁▂▃▄▅▆▇█';
/** Not measured: it must not look like nothing. */
const GAP = ' ';

export interface Reading {
  at: number;
  value: number | null;
}

/**
 * Each column is the largest of what was read in its part of the time, so that no peak is hidden;
 * blank where nothing was. The highest bar is the largest of all, the lowest is 0.
 */
export function barsOver(
  readings: readonly Reading[],
  { from, to }: { from: number; to: number },
  columns: number,
): string {
  const highest: (number | null)[] = Array.from({ length: columns }, () => null);
  for (const { at, value } of readings) {
    // A reading is of the time before it.
    const column = Math.ceil(((at - from) / (to - from)) * columns) - 1;
    if (value === null || column < 0 || column >= columns) continue;
    highest[column] = Math.max(highest[column] ?? 0, value);
  }
  const largest = Math.max(...highest.map((value) => value ?? 0));
  return highest
    .map((value) => {
      if (value === null) return GAP;
      const level = largest === 0 ? 0 : Math.ceil((value / largest) * (BARS.length - 1));
      return BARS[level] ?? GAP;
    })
    .join('');
}
