import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/**
 * Listens on a unix socket, replacing what an earlier owner left. Only the owner of the home may
 * call it, so nobody else's socket is removed.
 */
export function listenOn(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer(onConnection);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}
