import { createServer, type Server } from 'node:net';
import { type ClientSocket, clientSocket } from './client-socket.ts';

/** Connections the kernel may hold for us; it takes the smaller of this and its own limit. */
const BACKLOG = 4_096;

/** What Node keeps behind a server, and does not document (docs/adr/0011-node-from-below.md). */
interface ServerHandle {
  onconnection: (status: number, handle: object) => void;
  readStart?: () => number;
  readStop?: () => number;
}

/** A listening socket whose connections become our own kind of socket, and which can be left alone for a while. */
export class Listener {
  private readonly server: Server;
  private readonly handle: ServerHandle;
  /** `readStart` was the last word to it. */
  private started = false;

  private constructor(server: Server, accept: (socket: ClientSocket) => void) {
    this.server = server;
    this.handle = (server as unknown as { _handle: ServerHandle })._handle;
    // Node lets nobody say what the sockets that a server makes read into; so it makes none, and we do.
    this.handle.onconnection = (status, handle) => {
      // Out of descriptors, say: the connection waits, and those that stand are served.
      if (status === 0) accept(clientSocket(handle));
    };
  }

  static async open(
    at: { fd: number } | { host: string; port: number },
    accept: (socket: ClientSocket) => void,
  ): Promise<Listener> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // As an argument of its own: of an inherited descriptor Node heeds it only there.
      server.listen(at, BACKLOG, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', () => {
      // Out of descriptors, say: the connection is dropped, and those that stand are served.
    });
    return new Listener(server, accept);
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Leaves what comes to others, or to the queue. False where Node cannot: it accepts on. */
  pause(): boolean {
    // Reading and accepting wait for the same event, and only of reading may one say when.
    if (!this.started && this.handle.readStart?.() !== 0) return false;
    this.started = false;
    return this.handle.readStop?.() === 0;
  }

  resume(): void {
    this.started = this.handle.readStart?.() === 0;
  }

  close(): void {
    this.server.close();
  }
}
