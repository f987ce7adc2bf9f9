import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { systemCode } from '../kernel/fault.ts';

/** Whose a TCP port is, as far as this user may see. */

export type PortState =
  | { kind: 'free' }
  | { kind: 'forbidden' }
  /** `owner` is null where other users' processes are hidden. */
  | { kind: 'taken'; owner: { pid: number; command: string } | null };

export async function inspectPort(port: number): Promise<PortState> {
  const code = await tryListening(port);
  if (code === null) return { kind: 'free' };
  if (code === 'EACCES') return { kind: 'forbidden' };
  return { kind: 'taken', owner: findOwner(port) };
}

/** Null when it worked, else the system's reason. */
function tryListening(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (thrown) => resolve(systemCode(thrown) ?? 'unknown'));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

const LISTENING = '0A';

function findOwner(port: number): { pid: number; command: string } | null {
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap(readLines)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => state === LISTENING && portOf(local) === port)
      .map((fields) => `socket:[${fields[9]}]`),
  );
  if (sockets.size === 0) return null;
  const pid = processes().find((id) => descriptorsOf(id).some((link) => sockets.has(link)));
  return pid === undefined ? null : { pid, command: commandOf(pid) };
}

const portOf = (address = ''): number => Number.parseInt(address.split(':')[1] ?? '', 16);

const processes = (): number[] => listDirectory('/proc').map(Number).filter(Number.isInteger);

/** Empty for a process of somebody else, or one that is gone by now. */
function descriptorsOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return listDirectory(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`)];
    } catch {
      return [];
    }
  });
}

const commandOf = (pid: number): string => readLines(`/proc/${pid}/comm`)[0]?.trim() || 'unknown';

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
