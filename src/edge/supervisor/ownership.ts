import { DatabaseSync } from 'node:sqlite';

/** The owner of an edge's home, until it lets go or ends, however it ends. */
export interface Ownership {
  release(): void;
}

/** SQLite's "somebody else holds the lock", which has variants in the higher bits. */
const SQLITE_BUSY = 5;
const PRIMARY_CODE = 0xff;

/**
 * One supervisor per home. SQLite's exclusive lock is the kernel's: it goes with the process, so
 * there is no stale lock to judge. Null when another supervisor has it.
 */
export function takeOwnership(lockFile: string): Ownership | null {
  const database = new DatabaseSync(lockFile);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if (isBusy(thrown)) return null;
    throw thrown;
  }
  return { release: () => database.close() };
}

function isBusy(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return false;
  return (Number(thrown.errcode) & PRIMARY_CODE) === SQLITE_BUSY;
}
