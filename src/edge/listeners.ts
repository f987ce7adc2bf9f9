import { createServer, type Server } from 'node:net';
import { Fault, systemCode } from '../kernel/fault.ts';
import { portHolder } from '../kernel/port-holder.ts';

/** Opening the edge's port, to hand it on as descriptors (docs/adr/0001-inherited-listeners.md). */

export interface OpenListeners {
  /** The addresses that exist on this machine. */
  listeners: { host: string; port: number }[];
  descriptors: number[];
  /** Lets go; the sockets live on in whoever has inherited the descriptors. */
  close(): void;
}

/** How many ports after the configured one are tried when it is busy. */
const FALLBACK_PORTS = 20;
/** With port 0: how often the second address may find the first one's port taken. */
const ANY_PORT_ATTEMPTS = 20;
/** The address family, or the address, does not exist here. */
const ABSENT = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

/**
 * Opens one port on every host. The first host must exist; others are left out where they do not.
 * The caller must start the inheritor and close in the same turn of the event loop, so that nothing
 * is accepted here.
 *
 * @param fallback take the next free port when it is busy
 * @throws `port-in-use`, `port-forbidden`
 */
export async function openListeners(
  hosts: readonly string[],
  port: number,
  fallback: boolean,
): Promise<OpenListeners> {
  const attempts = port === 0 ? ANY_PORT_ATTEMPTS : fallback ? 1 + FALLBACK_PORTS : 1;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const opened = await openAll(hosts, port === 0 ? 0 : port + attempt);
    if (opened) return opened;
  }
  throw portInUse(port, attempts);
}

/** Null when the port is busy on one of the hosts. */
async function openAll(hosts: readonly string[], port: number): Promise<OpenListeners | null> {
  const servers: Server[] = [];
  const listeners: { host: string; port: number }[] = [];
  const close = () => {
    for (const server of servers) server.close();
  };
  for (const [index, host] of hosts.entries()) {
    try {
      const server = await listen(host, listeners[0]?.port ?? port);
      servers.push(server);
      listeners.push({ host, port: portOf(server) });
    } catch (thrown) {
      const code = systemCode(thrown) ?? '';
      if (index > 0 && ABSENT.includes(code)) continue;
      close();
      if (code === 'EADDRINUSE') return null;
      if (code === 'EACCES') throw portForbidden(port, thrown);
      throw thrown;
    }
  }
  return { listeners, descriptors: servers.map(descriptorOf), close };
}

/** Resolves without a turn of the event loop: an address needs no look-up. */
function listen(host: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return address.port;
}

/** Node does not document this, and has nothing else. */
function descriptorOf(server: Server): number {
  const descriptor = (server as { _handle?: { fd?: unknown } })._handle?.fd;
  if (typeof descriptor === 'number' && descriptor >= 0) return descriptor;
  throw new Fault({
    code: 'no-descriptor',
    message: `Node ${process.version} does not tell the descriptor of a listening socket`,
    hint: 'use Node 24',
  });
}

function portInUse(port: number, attempts: number): Fault {
  const holder = portHolder(port);
  const many = attempts > 1 && port !== 0;
  const range = many ? `ports ${port} to ${port + attempts - 1} are` : `port ${port} is`;
  const by = holder ? `by ${holder.command}, process ${holder.pid}` : '';
  return new Fault({
    code: 'port-in-use',
    message: `${range} in use${by && (many ? ` (${port} ${by})` : ` ${by}`)}`,
    subject: String(port),
    hint: 'stop it, or choose another port with BELAY_HTTP=PORT; BELAY_HTTP=0 takes any that is free',
    details: { port, pid: holder?.pid ?? null, command: holder?.command ?? null },
  });
}

function portForbidden(port: number, cause: unknown): Fault {
  return new Fault({
    code: 'port-forbidden',
    message: `you may not listen on port ${port}`,
    subject: String(port),
    hint: 'choose a port above 1023 with BELAY_HTTP=PORT',
    cause,
  });
}
