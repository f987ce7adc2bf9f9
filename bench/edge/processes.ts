import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's USER_HZ: what utime and stime are counted in, on every Linux we run on. */
const TICKS_PER_SECOND = 100;

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** CPU time that a process alone has used, in microseconds. */
export function ownCpuTimeUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
}

/** CPU time that a process and all its living descendants have used, in microseconds. */
export function cpuTimeUs(pid: number): number {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), Number(fields[1]));
      ticks.set(Number(name), Number(fields[11]) + Number(fields[12]));
    } catch {
      // It ended as we looked.
    }
  }
  let total = 0;
  for (const [candidate, used] of ticks) {
    let ancestor: number | undefined = candidate;
    while (ancestor !== undefined && ancestor !== pid && ancestor > 1) {
      ancestor = parents.get(ancestor);
    }
    if (ancestor === pid) total += used;
  }
  return (total / TICKS_PER_SECOND) * 1e6;
}

export function start(
  program: string,
  args: string[],
  extra: ('pipe' | number)[] = [],
): ChildProcess {
  return spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', ...extra] });
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
