import { Socket, type SocketConstructorOpts } from 'node:net';
import { SOCKET_BUFFER_BYTES } from './upstream-connection.ts';

/**
 * What every client connection reads into: Node calls back before it reads again. With a buffer of
 * its own for every read, a worker that takes uploads spends a quarter of its time on collecting them.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A client's socket, which hands on its bytes without a stream in between. */
export interface ClientSocket extends Socket {
  user: ClientSocketUser | null;
}

export interface ClientSocketUser {
  /** @param bytes belong to the socket again when this returns: what is kept must be a copy */
  onData(bytes: Buffer): void;
  onDrain(): void;
  onEnd(): void;
  onClose(): void;
}

/** Of a connection's handle, which a listener has accepted. */
export function clientSocket(handle: object): ClientSocket {
  const options = {
    handle,
    allowHalfOpen: true,
    highWaterMark: SOCKET_BUFFER_BYTES,
    onread: {
      buffer: readBuffer,
      callback: (sizeBytes: number) => {
        socket.user?.onData(readBuffer.subarray(0, sizeBytes));
        return true;
      },
    },
  };
  const socket = new Socket(options as SocketConstructorOpts) as ClientSocket;
  socket.user = null;
  socket.setNoDelay(true);
  return socket;
}
