import type { Output } from './output.ts';

/** The whole terminal for a while; what was on it before comes back. */
export interface Screen {
  draw(lines: readonly string[]): void;
  close(): void;
}

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export function openScreen(output: Output): Screen {
  let isOpen = true;
  output.write(ENTER);
  return {
    // Written over what is there, line by line: clearing it first would flicker.
    draw(lines) {
      const text = lines.map((line) => line + CLEAR_TO_END_OF_LINE).join('\r\n');
      output.write(HOME + text + CLEAR_BELOW);
    },
    close() {
      if (isOpen) output.write(LEAVE);
      isOpen = false;
    },
  };
}
