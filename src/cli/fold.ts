import { stripVTControlCharacters } from 'node:util';
import { widthOf } from './paint.ts';

/**
 * Folds a line that is wider than the terminal between words, and not where the terminal would.
 * What is carried over stands below the column it belongs to: columns are what two spaces divide.
 */
export function fold(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const hanging = ' '.repeat(hangingColumn(stripVTControlCharacters(line), columns));
  const lines: string[] = [];
  let current = '';
  for (const [word] of line.matchAll(/\s*\S+/g)) {
    const isFirst = current.trim() === '';
    if (isFirst || widthOf(current) + widthOf(word) <= columns) {
      current += isFirst && current !== '' ? word.trimStart() : word;
      continue;
    }
    lines.push(current);
    current = hanging + word.trimStart();
  }
  return [...lines, current];
}

/** Where the last column in the left half of the terminal begins. */
function hangingColumn(plain: string, columns: number): number {
  const begins = [...plain.matchAll(/(?:^| {2,})(?=\S)|^ +/g)].map(
    ({ index, 0: spaces }) => index + spaces.length,
  );
  return Math.max(0, ...begins.filter((column) => column <= columns / 2));
}
