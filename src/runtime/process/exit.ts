import { readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Exit } from '../../model/instance.ts';

/** How a shell writes that a signal ended a program: 128 and the signal's number. */
const SIGNAL_BASE = 128;
/** Three digits and the end of the line. */
const STATUS_BYTES = 4;

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** Takes the room on disk that the status will need, with something that is not one. */
export async function reserveExitFile(path: string): Promise<void> {
  await writeFile(path, '\n'.repeat(STATUS_BYTES), { mode: 0o600 });
}

/** What the shim wrote down, or null while it has not. */
export function readExitFile(path: string): Exit | null {
  try {
    const text = readFileSync(path, 'utf8');
    const status = /^(\d+)\n/.exec(text)?.[1];
    if (status === undefined) return null;
    return exitOf(Number(status), Math.round(statSync(path).mtimeMs));
  } catch {
    return null;
  }
}

/** Names an exit status as a shell reports it. */
export function exitOf(status: number, at: number): Exit {
  const signal = status > SIGNAL_BASE ? signalNames.get(status - SIGNAL_BASE) : undefined;
  return signal === undefined
    ? { code: status, signal: null, cause: `exited with code ${status}`, at }
    : { code: null, signal, cause: `killed by ${signal}`, at };
}

/** For a program whose status nobody wrote down. */
export function unknownExit(cause: string, at: number): Exit {
  return { code: null, signal: null, cause, at };
}
