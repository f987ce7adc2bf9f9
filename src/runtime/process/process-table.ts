import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { systemCode } from '../../kernel/fault.ts';
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
  return readProcesses(readProcessIds());
}

/** Every process id there is, lowest first. */
export function readProcessIds(): number[] {
  if (!hasProcessTable) return [];
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** These processes alone, as a table: a few where the machine has thousands. */
export function readProcesses(pids: Iterable<number>): ProcessTable {
  const table = new Map<number, ProcessEntry>();
  for (const pid of pids) {
    const entry = readProcess(pid);
    if (entry) table.set(pid, entry);
  }
  return table;
}

/** One process, or null when there is none with this id. */
export function readProcess(pid: number): ProcessEntry | null {
  const stat = read(`/proc/${pid}/stat`, readLine);
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
  // A first thread that has ended is shown as a zombie while the others run on.
  const runsOn = field(20) > 1;
  return {
    pid,
    parent: field(4),
    group: field(5),
    session: field(6),
    zombie: !runsOn && (state === 'Z' || state === 'X' || state === 'x'),
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

/** It is not there, it ended between opening and reading, or it is another user's. */
const ABSENT = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * What cannot be read for want of descriptors or memory is thrown: it must never be taken for a
 * process that has ended.
 */
function read(path: string, reading = readWhole): string | null {
  try {
    return reading(path);
  } catch (thrown) {
    if (ABSENT.has(systemCode(thrown) ?? '')) return null;
    throw thrown;
  }
}

const readWhole = (path: string): string => readFileSync(path, 'latin1');

/** Longer than any line of /proc/PID/stat. */
const line = Buffer.alloc(4096);

/** One line in one read: this is what looking at processes costs, so nothing is asked twice. */
function readLine(path: string): string {
  const file = openSync(path, 'r');
  try {
    return line.toString('latin1', 0, readSync(file, line, 0, line.length, null));
  } finally {
    closeSync(file);
  }
}
