import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { messageOf, systemCode } from '../../kernel/fault.ts';
import type { Log } from '../../kernel/log.ts';

const run = promisify(execFile);

/** Holes begin and end here: whole blocks of every file system. */
export const HOLE_ALIGN_BYTES = 64 * 1024;
const STAT_BLOCK_BYTES = 512;

export interface LogBound {
  /** Frees the front of a file that takes more disk than it may. Returns the file's size. */
  apply(path: string): Promise<number>;
}

/**
 * Bounds what a log takes on disk by punching a hole at its front: a rename would not move the
 * descriptor the instance inherited, and copying and truncating loses lines. Offsets stay as they
 * are, so readers are not disturbed.
 *
 * @param maxBytes at this much on disk the file is cut
 * @param keepBytes what stays, at its end
 */
export function logBound(options: { maxBytes: number; keepBytes: number; log: Log }): LogBound {
  const { maxBytes, keepBytes, log } = options;
  let possible = true;
  return {
    async apply(path) {
      const { size, blocks } = await stat(path);
      if (!possible || blocks * STAT_BLOCK_BYTES <= maxBytes) return size;
      const length = Math.floor((size - keepBytes) / HOLE_ALIGN_BYTES) * HOLE_ALIGN_BYTES;
      if (length <= 0) return size;
      try {
        await run('fallocate', ['--punch-hole', '--offset', '0', '--length', `${length}`, path]);
      } catch (thrown) {
        possible = !isForGood(thrown);
        const outcome = possible
          ? 'a log was not bounded this time'
          : 'logs are not bounded: this system cannot free the front of a file';
        log.warn({ path, error: messageOf(thrown) }, outcome);
      }
      return size;
    },
  };
}

/** There is no such program, or it says that the file system has no holes. */
function isForGood(thrown: unknown): boolean {
  return systemCode(thrown) === 'ENOENT' || /not supported/i.test(messageOf(thrown));
}
