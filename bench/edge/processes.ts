import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's USER_HZ: what utime and stime are counted in, on every Linux we run on. */
const TICKS_PER_SECOND = 100;

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

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

/** CPU time that processes and all their living descendants have used, in microseconds. */
export function cpuTimeUs(pids: readonly number[]): number {
  return withDescendants(pids).reduce((total, pid) => total + (read(pid, ownCpuTimeUs) ?? 0), 0);
}

/** Memory that processes and all their living descendants have in use, in bytes. */
export function memoryBytes(pids: readonly number[]): number {
  return withDescendants(pids).reduce((total, pid) => total + (read(pid, residentBytes) ?? 0), 0);
}

export function start(
  program: string,
  args: string[],
  { env = {}, stderr = 'inherit' }: { env?: NodeJS.ProcessEnv; stderr?: number | 'inherit' } = {},
): ChildProcess {
  return ownChild(
    spawn(program, args, {
      stdio: ['ignore', 'ignore', stderr],
      env: { ...process.env, ...env },
    }),
  );
}

/** A child that does not outlive us, however we end. */
export function ownChild<Child extends ChildProcess>(child: Child): Child {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function withDescendants(pids: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? read(Number(name), parentOf) : null;
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [...pids];
  // It grows as it is walked.
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Null where the process ended as we looked. */
function read(pid: number, figure: (pid: number) => number): number | null {
  try {
    return figure(pid);
  } catch {
    return null;
  }
}
