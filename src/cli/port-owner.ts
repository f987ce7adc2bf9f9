import { createServer } from 'node:net';
import { systemCode } from '../kernel/fault.ts';
import { type PortHolder, portHolder } from '../kernel/port-holder.ts';

/** Whose a TCP port is, as far as this user may see. */

export type PortState =
  | { kind: 'free' }
  | { kind: 'forbidden' }
  /** `holder` is null where other users' processes are hidden. */
  | { kind: 'taken'; holder: PortHolder | null };

export async function inspectPort(port: number): Promise<PortState> {
  const code = await tryListening(port);
  if (code === null) return { kind: 'free' };
  if (code === 'EACCES') return { kind: 'forbidden' };
  return { kind: 'taken', holder: portHolder(port) };
}

/** Null when it worked, else the system's reason. */
function tryListening(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (thrown) => resolve(systemCode(thrown) ?? 'unknown'));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
