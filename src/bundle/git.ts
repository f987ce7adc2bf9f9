import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { Fault, messageOf, systemCode } from '../kernel/fault.ts';

/** Git, run as a program of its own, without a shell. It is only ever asked. */

const run = promisify(execFile);
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** What a hook of git's hands on: which repository is meant is said by the directory. */
const OF_ANOTHER_REPOSITORY = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX'];

/** Messages in the words they are told apart by; and looking must not lock the repository. */
function environment(): NodeJS.ProcessEnv {
  const own = { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' };
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => !OF_ANOTHER_REPOSITORY.includes(name)),
  );
}

/**
 * What git prints when it is asked in a directory.
 *
 * @throws `git-missing`, `no-repository`, `git-failed`
 */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const options = {
    cwd: directory,
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    env: environment(),
  };
  try {
    const { stdout } = await run('git', args, options);
    return stdout;
  } catch (thrown) {
    const told = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr) : '';
    throw gitFault(directory, told, thrown);
  }
}

/** Git as a stream: what it is asked goes in, what it answers comes out. */
export function gitStream(directory: string, ...args: string[]): ChildProcess {
  return spawn('git', args, {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(),
  });
}

/** @param told what git wrote to stderr */
export function gitFault(directory: string, told: string, cause: unknown): Fault {
  // A directory that is not there looks to the system as a program that is not there.
  if (systemCode(cause) === 'ENOENT' && existsSync(directory)) {
    return new Fault({
      code: 'git-missing',
      message: 'git is not installed, and commits are read by it',
      hint: 'install git, or deploy the directory as it is: belay deploy',
      cause,
    });
  }
  if (/not a git repository/.test(told)) {
    return new Fault({
      code: 'no-repository',
      message: 'the directory belongs to no git repository',
      subject: directory,
      hint: 'name a directory of one, or deploy the directory as it is: belay deploy',
      cause,
    });
  }
  const [said] = told.split('\n').filter((line) => line !== '');
  return new Fault({
    code: 'git-failed',
    message: `git could not do it: ${said?.replace(/^(?:fatal|error): /, '') ?? messageOf(cause)}`,
    subject: directory,
    hint: 'see what git itself says there: git status',
    cause,
  });
}
