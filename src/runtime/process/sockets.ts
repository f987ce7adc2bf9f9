import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Listening sockets that a connection to 127.0.0.1 would reach, as inodes by port. */
export type ListeningSockets = ReadonlyMap<number, readonly string[]>;

const LISTEN = '0A';
/** 127.0.0.1 and 0.0.0.0 as /proc/net/tcp writes them; `::` and the mapped one as tcp6 does. */
const REACHABLE = new Set([
  '0100007F',
  '00000000',
  '00000000000000000000000000000000',
  '0000000000000000FFFF00000100007F',
  '0000000000000000FFFF000000000000',
]);

export function readListeningSockets(): ListeningSockets {
  const sockets = new Map<number, string[]>();
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const { port, inode } of parseSockets(readTable(path))) {
      const inodes = sockets.get(port);
      if (inodes) inodes.push(inode);
      else sockets.set(port, [inode]);
    }
  }
  return sockets;
}

/** The columns of proc_net_tcp(5): slot, local address, remote address, state, …, inode. */
export function parseSockets(table: string): { port: number; inode: string }[] {
  const found: { port: number; inode: string }[] = [];
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/, 10);
    if (columns[3] !== LISTEN) continue;
    const [address = '', port = ''] = columns[1]?.split(':') ?? [];
    const inode = columns[9];
    if (REACHABLE.has(address) && inode) found.push({ port: Number.parseInt(port, 16), inode });
  }
  return found;
}

/** Whether one of these processes holds the socket. */
export function holdsSocket(pids: Iterable<number>, inode: string): boolean {
  const link = `socket:[${inode}]`;
  for (const pid of pids) if (descriptors(pid).some((target) => target === link)) return true;
  return false;
}

function descriptors(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).map((name) => readDescriptor(`${folder}/${name}`));
  } catch {
    // The process has ended, or belongs to somebody else.
    return [];
  }
}

function readDescriptor(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // A kernel without IPv6 has no tcp6.
    return '';
  }
}
