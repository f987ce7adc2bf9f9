import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { systemCode } from '../../kernel/fault.ts';

/** Listening sockets that a connection to 127.0.0.1 would reach, as inodes by port. */
export type ListeningSockets = ReadonlyMap<number, readonly string[]>;

const LISTEN = '0A';
const BLOCK_BYTES = 1024;
const block = Buffer.alloc(BLOCK_BYTES);
/** 127.0.0.1 and 0.0.0.0 as /proc/net/tcp writes them; `::` and the mapped one as tcp6 does. */
const REACHABLE = new Set([
  '0100007F',
  '00000000',
  '00000000000000000000000000000000',
  '0000000000000000FFFF00000100007F',
  '0000000000000000FFFF000000000000',
]);

/** @param family `tcp` for IPv4, `tcp6` for IPv6 */
export function readListeningSockets(family: 'tcp' | 'tcp6'): ListeningSockets {
  const sockets = new Map<number, string[]>();
  for (const { port, inode } of parseSockets(readListeners(`/proc/net/${family}`))) {
    const inodes = sockets.get(port);
    if (inodes) inodes.push(inode);
    else sockets.set(port, [inode]);
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

/**
 * Reads the table as far as the listening sockets go. The kernel tells them first (since 4.4 with
 * nothing in between), and then walks every connection of the machine, which costs thirty times as
 * much.
 */
function readListeners(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    // A kernel without IPv6 has no tcp6.
    if (systemCode(thrown) === 'ENOENT') return '';
    throw thrown;
  }
  try {
    let text = '';
    for (;;) {
      const bytes = readSync(file, block, 0, BLOCK_BYTES, null);
      text += block.toString('latin1', 0, bytes);
      if (bytes === 0 || endsBehindListeners(text)) return text;
    }
  } finally {
    closeSync(file);
  }
}

/** Whether the last whole line is no listening socket's. */
function endsBehindListeners(text: string): boolean {
  const end = text.lastIndexOf('\n');
  const line = text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
  const state = line.trim().split(/\s+/, 4)[3];
  return state !== undefined && state !== 'st' && state !== LISTEN;
}
