import type { Context } from './context.ts';

const CTRL_C = '\u0003';

/**
 * Single keys, as they are pressed, where somebody sits at a keyboard. Raw mode takes Ctrl-C away
 * from the terminal, so it is told like any key.
 *
 * @returns how to give the keyboard back
 */
export function listenForKeys(
  { stdin }: Pick<Context, 'stdin'>,
  onKey: (key: 'q' | 'ctrl-c') => void,
): () => void {
  if (!stdin.isTTY) return () => {};
  const hear = (chunk: Buffer | string) => {
    const text = String(chunk);
    if (text.includes(CTRL_C)) onKey('ctrl-c');
    else if (text.includes('q')) onKey('q');
  };
  stdin.setRawMode?.(true);
  stdin.on('data', hear);
  return () => {
    stdin.off('data', hear);
    stdin.pause();
    stdin.setRawMode?.(false);
  };
}
