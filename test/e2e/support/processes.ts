import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a home has left on the machine, by what /proc says. */

const LISTENING = '0A';
const ZOMBIE = /^State:\s+Z/m;

export interface HomeProcess {
  pid: number;
  command: string;
  /** The instance it belongs to. */
  instance: string | null;
}

/** Every living process that carries the home in its environment, command line or directory. */
export function processesOf(home: string): HomeProcess[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && belongsTo(pid, home))
    .map((pid) => ({ pid, command: commandOf(pid), instance: instanceOf(pid) }));
}

function belongsTo(pid: number, home: string): boolean {
  if (ZOMBIE.test(read(`/proc/${pid}/status`))) return false;
  const said =
    read(`/proc/${pid}/environ`) + read(`/proc/${pid}/cmdline`) + link(`/proc/${pid}/cwd`);
  return said.includes(home);
}

/** Ports of the list on which somebody listens. */
export function listening(ports: Iterable<number>): number[] {
  const open = new Set<number>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of read(table).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTENING)
        open.add(Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16));
    }
  }
  return [...ports].filter((port) => open.has(port));
}

/** SIGKILL; one that has ended since is no matter. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

export const isRunning = (pid: number): boolean => {
  const status = read(`/proc/${pid}/status`);
  return status !== '' && !ZOMBIE.test(status);
};

const instanceOf = (pid: number): string | null =>
  /(?:^|\0)BELAY_INSTANCE=([^\0]*)/.exec(read(`/proc/${pid}/environ`))?.[1] ?? null;

const commandOf = (pid: number): string =>
  read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 300);

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
