import { type Logger, pino } from 'pino';

/**
 * The program's own log: JSON lines for machines, written at once so that a crash loses none.
 * Field names are the glossary's. Values of environment variables are never logged.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export function fileLog(path: string, name: string): Log & Pick<Logger, 'fatal'> {
  return pino(
    { name, base: { pid: process.pid } },
    pino.destination({ dest: path, sync: true, mkdir: true }),
  );
}

export const silentLog: Log = pino({ level: 'silent' });
