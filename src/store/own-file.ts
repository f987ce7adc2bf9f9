import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a file that its owner alone can read, for what holds keys and variables, or makes the one that
 * is there so; SQLite gives those beside it the same mode.
 */
export function makeOwnFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // One that is there is not opened: to close it would end SQLite's locks on it in this process.
  if (!existsSync(path)) closeSync(openSync(path, 'ax', 0o600));
  for (const each of [path, `${path}-wal`]) if (existsSync(each)) chmodSync(each, 0o600);
}
