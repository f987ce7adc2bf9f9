import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 10_000;

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

async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, {
    cwd: directory,
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
    // Looking must not lock the repository against its owner.
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  });
  return stdout;
}
