import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { systemCode } from '../kernel/fault.ts';

/** State kept as JSON, replaced whole: a reader sees the old or the new, never a part. */

/** What the file holds; null when there is none, or it is not JSON (then it is as good as none). */
export function readState<State>(path: string): State | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as State;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT' || thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

/** At once, so that nothing can happen in between; survives the process, not the machine. */
export function writeState(path: string, json: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, json);
  renameSync(temporary, path);
}

/** On the disk when it resolves; survives the machine. */
export async function writeStateDurably(path: string, json: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(json);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
