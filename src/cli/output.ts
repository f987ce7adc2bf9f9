import type { Writable } from 'node:stream';
import { fold } from './fold.ts';
import { type Paint, paint } from './paint.ts';

/** One of the two streams we write to, and what it can show. */
export interface Output {
  readonly isTerminal: boolean;
  /** For what draws by itself: questions. */
  readonly stream: OutputStream;
  /** Width in columns; 80 off a terminal, and on one that does not say. */
  readonly columns: number;
  /** Height in lines; 24 where nobody says. */
  readonly rows: number;
  readonly paint: Paint;
  write(text: string): void;
  line(text?: string): void;
  /** A line of ours, folded where a terminal is too narrow for it. */
  folded(text: string): void;
}

export type OutputStream = Writable & { isTTY?: boolean; columns?: number; rows?: number };

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** `NO_COLOR` (any value that is not empty) and `TERM=dumb` switch colours off. */
export function output(
  stream: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
): Output {
  const isTerminal = stream.isTTY === true && environment.TERM !== 'dumb';
  return {
    isTerminal,
    stream,
    get columns() {
      return stream.columns || DEFAULT_COLUMNS;
    },
    get rows() {
      return stream.rows || DEFAULT_ROWS;
    },
    paint: paint(isTerminal && !environment.NO_COLOR),
    write: (text) => {
      stream.write(text);
    },
    line: (text = '') => {
      stream.write(`${text}\n`);
    },
    folded(text) {
      const lines = isTerminal ? fold(text, this.columns) : [text];
      stream.write(`${lines.join('\n')}\n`);
    },
  };
}
