import { readFileSync } from 'node:fs';
import { systemCode } from '../kernel/fault.ts';

/**
 * A process id alone may be somebody else's by now; with the start time it is one process for ever.
 * Where there is no /proc the start time is null and the id has to do.
 */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot, from /proc. */
  startTicks: number | null;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTicks: statOf(pid)?.startTicks ?? null };
}

/**
 * Whether that very process still runs. A zombie, which keeps both numbers, does not; but one whose
 * other threads are still ending keeps its descriptors open until they have.
 */
export function isAlive(process: ProcessIdentity): boolean {
  if (process.startTicks === null) return answersSignals(process.pid);
  const stat = statOf(process.pid);
  if (stat === null || stat.startTicks !== process.startTicks) return false;
  return stat.state !== 'Z' || stat.threads > 1;
}

/** SIGKILL, if it is still that process. */
export function killProcess(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch (thrown) {
    if (systemCode(thrown) !== 'ESRCH') throw thrown;
  }
}

function statOf(pid: number): { state: string; threads: number; startTicks: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may hold any character, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      threads: Number(fields[17]),
      startTicks: Number(fields[19]),
    };
  } catch {
    return null;
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCode(thrown) === 'EPERM';
  }
}
