import { execFile, execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { promisify } from 'node:util';

/**
 * Latencies of a fraction of a millisecond are lost where the scheduler puts the one who measures on
 * the core of the measured: so the load has the first core, everybody else another.
 */
export const LOAD_CORE = 0;
export const SERVING_CORE = Math.min(1, cpus().length - 1);

export function pin(pids: readonly number[], core: number | 'any'): void {
  const cores = core === 'any' ? `0-${cpus().length - 1}` : `${core}`;
  for (const pid of pids) execFileSync('taskset', ['-acp', cores, `${pid}`], { stdio: 'ignore' });
}

/** What a program says that runs on that core alone, or where the system puts it. */
export async function run(program: string, args: string[], core: number | 'any'): Promise<string> {
  const pinned = ['taskset', '-c', `${core}`];
  const [first = program, ...others] = [...(core === 'any' ? [] : pinned), program, ...args];
  const { stdout } = await promisify(execFile)(first, others);
  return stdout;
}
