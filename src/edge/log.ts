import { writeSync } from 'node:fs';
import { systemCode } from '../kernel/fault.ts';
import type { Log } from '../kernel/log.ts';

/** pino's numbers, so that one reader understands every log of the house. */
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;

/**
 * The edge's own log: JSON lines to the descriptor it was started with, `edge/edge.log` in append
 * mode. Written at once; it keeps pino out of the workers, which should be small.
 */
export function edgeLog(name: string, now: () => number, descriptor = 2): Log {
  const at =
    (level: number) =>
    (...parts: unknown[]): void => {
      const [first, message] = parts;
      const fields = typeof first === 'string' ? { msg: first } : { ...(first as object) };
      const line = { level, time: now(), pid: process.pid, name, ...fields };
      write(
        descriptor,
        `${JSON.stringify(message === undefined ? line : { ...line, msg: message })}\n`,
      );
    };
  return {
    debug: () => {},
    info: at(LEVELS.info),
    warn: at(LEVELS.warn),
    error: at(LEVELS.error),
  };
}

/** A full disk must not stop the traffic. */
function write(descriptor: number, line: string): void {
  try {
    writeSync(descriptor, line);
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
  }
}
