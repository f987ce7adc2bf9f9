import { spawnSync } from 'node:child_process';
import type { ProcessEntry, ProcessIdentity } from './process-table.ts';

/**
 * What can be known on a system without /proc (macOS): whether a process or a group can be
 * signalled, and with which arguments it was started. Enough to develop on; what leaves the group
 * is not found, and usage is not measured.
 */

/** Whether there is a process with this id; a negative id asks for a group. */
export function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The group as a single entry, while anything of it is left. */
export function groupAsTree(shim: ProcessIdentity | null): ProcessEntry[] {
  if (shim === null || !canSignal(-shim.pid)) return [];
  const { pid, startTicks } = shim;
  const unknown = { zombie: false, cpuTicks: 0, residentPages: 0 };
  return [{ pid, startTicks, parent: process.pid, group: pid, session: pid, ...unknown }];
}

/** A shim is told from a later process with its id by the file it was given, which is its alone. */
export function wasStartedWith(pid: number, argument: string): boolean {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
    encoding: 'utf8',
  });
  return stdout?.includes(argument) ?? false;
}
