import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which process listens on a port, from /proc. Null where that is not to be read. */

const LISTENING = '0A';

export function portHolder(port: number): { pid: number; command: string } | null {
  const sockets = listeningSockets(port);
  if (sockets.size === 0) return null;
  for (const entry of entries('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    for (const descriptor of entries(`/proc/${pid}/fd`)) {
      if (sockets.has(link(`/proc/${pid}/fd/${descriptor}`))) {
        return { pid, command: text(`/proc/${pid}/comm`).trim() };
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
