import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface PortHolder {
  pid: number;
  /** The program's name. */
  command: string;
}

const LISTENING = '0A';

/** Which process listens on a TCP port, from /proc. Null where that is not to be read. */
export function portHolder(port: number): PortHolder | null {
  const sockets = listeningSockets(port);
  if (sockets.size === 0) return null;
  for (const entry of entries('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    for (const descriptor of entries(`/proc/${pid}/fd`)) {
      if (sockets.has(link(`/proc/${pid}/fd/${descriptor}`))) {
        return { pid, command: commandOf(pid) };
      }
    }
  }
  return null;
}

/** As links in /proc name them: `socket:[INODE]`. */
function listeningSockets(port: number): Set<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of text(table).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTENING && fields[1]?.endsWith(`:${wanted}`)) {
        sockets.add(`socket:[${fields[9]}]`);
      }
    }
  }
  return sockets;
}

/** As it was called: `comm` is the name of a thread, and Node gives its main thread one. */
function commandOf(pid: number): string {
  const [program = ''] = text(`/proc/${pid}/cmdline`).split('\0');
  return basename(program) || text(`/proc/${pid}/comm`).trim();
}

function entries(directory: string): string[] {
  return readable(() => readdirSync(directory), []);
}

const text = (path: string): string => readable(() => readFileSync(path, 'latin1'), '');

const link = (path: string): string => readable(() => readlinkSync(path), '');

/** Processes end while we look, and others' are not ours to read. */
function readable<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
