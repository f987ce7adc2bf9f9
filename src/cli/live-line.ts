import type { Output } from './output.ts';
import { widthOf } from './paint.ts';

/**
 * Lines that stay, and below them one that changes in place. Off a terminal only the lines that
 * stay are written, so that a log of the output reads well.
 */
export interface LiveLine {
  /** Writes a line that stays. */
  print(text: string): void;
  /** Replaces the line that changes. */
  show(text: string): void;
  /** Takes the changing line away. */
  clear(): void;
}

const CLEAR_LINE = '\r\u001b[2K';

export function liveLine(output: Output): LiveLine {
  let shown = '';
  if (!output.isTerminal) {
    return { print: (text) => output.folded(text), show: () => {}, clear: () => {} };
  }
  const clear = () => {
    if (shown !== '') output.write(CLEAR_LINE);
    shown = '';
  };
  const show = (text: string) => {
    // A line that wraps could not be taken back.
    const fits = widthOf(text) < output.columns ? text : '';
    if (fits === shown) return;
    clear();
    output.write(fits);
    shown = fits;
  };
  return {
    clear,
    show,
    print(text) {
      const held = shown;
      clear();
      output.folded(text);
      show(held);
    },
  };
}
