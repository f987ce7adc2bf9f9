import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from './context.ts';

/** What somebody here has to type for this program: in a fresh clone it is not on the path. */
export function selfCommand({ environment, directory }: Context): string {
  if (findOnPath('belay', environment.PATH ?? '') !== null) return 'belay';
  return existsSync(join(directory, 'bin/belay')) ? 'bin/belay' : 'belay';
}

/** The first executable of that name, or null. */
export function findOnPath(program: string, path: string): string | null {
  for (const directory of path.split(delimiter).filter(Boolean)) {
    const candidate = join(directory, program);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here.
    }
  }
  return null;
}
