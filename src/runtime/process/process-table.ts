import { readdirSync, readFileSync } from 'node:fs';
import { canSignal } from './without-proc.ts';

/**
 * The machine's processes, read from /proc. Reads are synchronous: /proc is memory, one entry takes
 * some ten microseconds, and a table read in one go does not tear.
 */

/** A process id is used again in time; with the start time it names one process for ever. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from the machine's boot to its start: field 22 of /proc/PID/stat. */
  startTicks: number;
}

export interface ProcessEntry extends ProcessIdentity {
  parent: number;
  group: number;
  session: number;
  /** A zombie has ended; its entry waits for its parent to read the status. */
  zombie: boolean;
  cpuTicks: number;
  residentPages: number;
}

export type ProcessTable = ReadonlyMap<number, ProcessEntry>;

/** The kernel's USER_HZ, which is 100 on every architecture Node runs on. */
export const TICKS_PER_SECOND = 100;

/** False on systems without /proc: see without-proc.ts. */
export const hasProcessTable = process.platform === 'linux';

export function readProcessTable(): ProcessTable {
  const table = new Map<number, ProcessEntry>();
  if (!hasProcessTable) return table;
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 48 || first > 57) continue;
    const entry = readProcess(Number(name));
    if (entry) table.set(entry.pid, entry);
  }
  return table;
}

/** One process, or null when there is none with this id. */
export function readProcess(pid: number): ProcessEntry | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? null : parseStat(stat);
}

/** Whether this very process is there and has not ended. */
export function isAlive(identity: ProcessIdentity | null): boolean {
  if (identity === null) return false;
  if (!hasProcessTable) return canSignal(identity.pid);
  const entry = readProcess(identity.pid);
  return entry !== null && !entry.zombie && entry.startTicks === identity.startTicks;
}

/** Field numbers are those of proc(5); the program's name may hold spaces and parentheses. */
export function parseStat(stat: string): ProcessEntry | null {
  const nameEnd = stat.lastIndexOf(')');
  if (nameEnd === -1) return null;
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(nameEnd + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  const state = fields[0] ?? '';
  return {
    pid,
    parent: field(4),
    group: field(5),
    session: field(6),
    zombie: state === 'Z' || state === 'X' || state === 'x',
    startTicks: field(22),
    cpuTicks: field(14) + field(15),
    residentPages: field(24),
  };
}

/** Differs after every boot of the machine; empty where the system does not say. */
export function readBootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

export function readPageBytes(): number {
  const match = /^KernelPageSize:\s+(\d+) kB$/m.exec(read('/proc/self/smaps') ?? '');
  return match ? Number(match[1]) * 1024 : 4096;
}

/** The environment a process was started with; empty when it may not be read. */
export function readEnvironment(pid: number): string[] {
  return (read(`/proc/${pid}/environ`) ?? '').split('\0');
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
