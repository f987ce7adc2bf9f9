import { lstatSync, renameSync } from 'node:fs';
import { messageOf } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';

/** With the file before it, the access log takes twice that, and what comes in between two looks. */
const ACCESS_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Puts a full access log in the place of the one before. Workers open it anew for every writing, so
 * nobody has to be told, and what one is just writing goes into the file that was moved. Only files:
 * a pipe or a link was put there on purpose.
 */
export function rotateAccessLog(path: string, log: Log, maxBytes = ACCESS_LOG_BYTES): void {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() && found.size >= maxBytes) renameSync(path, `${path}.1`);
  } catch (thrown) {
    log.warn({ path, error: messageOf(thrown) }, 'cannot rotate the access log');
  }
}
