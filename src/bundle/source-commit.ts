import { git } from './git.ts';

/**
 * The commit a directory stands at, with `+` behind it when the directory differs from it; null
 * without git, outside a repository and before the first commit.
 */
export async function sourceCommit(directory: string): Promise<string | null> {
  try {
    const commit = (await git(directory, 'rev-parse', '--verify', 'HEAD')).trim();
    const status = await git(directory, 'status', '--porcelain', '--', '.');
    return status === '' ? commit : `${commit}+`;
  } catch {
    return null;
  }
}
