import { type ChildProcess, spawn } from 'node:child_process';
import type { Variables } from '../../model/configuration.ts';

/**
 * The one shell we allow, and it never sees a word of ours or a user's as text: the program, its
 * arguments and the file come as a vector. It outlives the program on SIGTERM and writes down how
 * it ended, for a daemon that was not yet born when it was started.
 *
 * Names it assigns before the program has started begin with BELAY_SHIM_: a shell hands an assignment
 * to a variable that was in its environment on to what it starts. The file is there already, with
 * room in it, so that the status finds its place on a full disk too: it is written over, not anew.
 *
 * It waits for a line before it starts the program, so that the control groups and the record on
 * disk are in place first; when the daemon dies before saying it, nothing is started at all.
 */
const SCRIPT = [
  'trap : TERM',
  'BELAY_SHIM_FILE=$1',
  'shift',
  'read -r BELAY_SHIM_GO || exit 125',
  'exec </dev/null',
  '"$@"',
  'status=$?',
  'echo "$status" 1<>"$BELAY_SHIM_FILE"',
  'exit "$status"',
].join('\n');

export interface Shim {
  process: ChildProcess;
  /** Why the system started nothing, known a moment after; null when it did. */
  failure(): Error | null;
  /** Lets the program start. */
  go(): void;
}

/**
 * @param vector the program as an absolute path, and its arguments
 * @param output a descriptor opened for appending: the program's standard output and error
 */
export function spawnShim(options: {
  vector: readonly string[];
  exitFile: string;
  directory: string;
  variables: Variables;
  output: number;
}): Shim {
  const { vector, exitFile, directory, variables, output } = options;
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'belay', exitFile, ...vector], {
    cwd: directory,
    env: variables,
    // A session of its own: no terminal, and a process group that can be signalled as one.
    detached: true,
    stdio: ['pipe', output, output],
  });
  let failure: Error | null = null;
  child.on('error', (error) => {
    failure = error;
  });
  child.stdin?.on('error', () => {});
  child.unref();
  return { process: child, failure: () => failure, go: () => void child.stdin?.end('go\n') };
}
