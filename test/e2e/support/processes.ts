import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a home has left on the machine, by what /proc says. */

const LISTENING = '0A';
const ZOMBIE = /^State:\s+Z/m;
/** As a house names its own. */
const ANY_HOME = /\/bh-\w{6}/;

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
  return whatItSays(pid).includes(home);
}

const whatItSays = (pid: number): string =>
  read(`/proc/${pid}/environ`) + read(`/proc/${pid}/cmdline`) + link(`/proc/${pid}/cwd`);

/** Ports of the list on which somebody listens; not those that another home has taken since. */
export function listening(ports: Iterable<number>, home = ''): number[] {
  const inodes = new Map<number, string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of read(table).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] !== LISTENING) continue;
      inodes.set(Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16), fields[9] ?? '');
    }
  }
  return [...ports].filter((port) => {
    const inode = inodes.get(port);
    return inode !== undefined && !holdersOf(inode).some((pid) => isOfAnotherHome(pid, home));
  });
}

function holdersOf(inode: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && descriptorsOf(pid).includes(`socket:[${inode}]`));
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function isOfAnotherHome(pid: number, home: string): boolean {
  const said = whatItSays(pid);
  return !said.includes(home) && ANY_HOME.test(said);
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
