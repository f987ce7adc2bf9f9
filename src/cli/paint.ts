import { stripVTControlCharacters, styleText } from 'node:util';

/** Colours and weights, or nothing at all where they would be noise. */
export interface Paint {
  readonly enabled: boolean;
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
}

type Ink = Exclude<keyof Paint, 'enabled'>;

export function paint(enabled: boolean): Paint {
  const ink = (style: Ink) => (text: string) =>
    enabled && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  return {
    enabled,
    bold: ink('bold'),
    dim: ink('dim'),
    green: ink('green'),
    yellow: ink('yellow'),
    red: ink('red'),
    cyan: ink('cyan'),
  };
}

/** Columns a text takes on a terminal, its escape codes aside. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

export function padTo(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return align === 'left' ? text + space : space + text;
}

const ESCAPE_OR_CHARACTER = /\u001b\[[\d;]*m|./gsu;

/** The text without what goes beyond so many columns; what it switches on, it switches off. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let room = columns;
  return [...text.matchAll(ESCAPE_OR_CHARACTER)]
    .map(([part]) => part)
    .filter((part) => part.startsWith('\u001b') || room-- > 0)
    .join('');
}
