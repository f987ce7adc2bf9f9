import { connect, type Socket } from 'node:net';
import { MessageWriter } from '../http/message-writer.ts';
import { ResponseHeadReader } from '../http/response-head-reader.ts';

/** What has the use of an upstream connection: a request, or the tunnel it became. */
export interface UpstreamUser {
  onUpstreamConnect(): void;
  /** @param bytes belong to the connection again when this returns: what is kept must be a copy */
  onUpstreamData(bytes: Buffer): void;
  onUpstreamDrain(): void;
  /** The app finished sending. */
  onUpstreamEnd(): void;
  /** The connection broke, or was never made. */
  onUpstreamReset(): void;
}

/** Bytes a socket may hold before it asks to wait: a few reads, so that bodies flow. */
export const SOCKET_BUFFER_BYTES = 256 * 1024;

/** What every upstream connection reads into: Node calls back before it reads again. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A connection to a target, used by one request at a time. */
export class UpstreamConnection {
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly heads = new ResponseHeadReader();
  user: UpstreamUser | null = null;
  connected = false;
  /** It ended, broke or was destroyed. */
  closed = false;
  idleSinceMs = 0;
  idleUntilMs = 0;

  constructor(host: string, port: number) {
    const options = {
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      highWaterMark: SOCKET_BUFFER_BYTES,
      onread: {
        buffer: readBuffer,
        callback: (sizeBytes: number) => {
          this.onData(readBuffer.subarray(0, sizeBytes));
          return true;
        },
      },
    };
    const socket = connect(options);
    this.socket = socket;
    this.writer = new MessageWriter(socket);
    socket.on('connect', () => {
      this.connected = true;
      this.user?.onUpstreamConnect();
    });
    socket.on('drain', () => this.user?.onUpstreamDrain());
    socket.on('end', () => {
      this.closed = true;
      if (this.user === null) this.destroy();
      else this.user.onUpstreamEnd();
    });
    socket.on('error', () => {
      // The close that follows says all there is to do.
    });
    socket.on('close', () => {
      this.closed = true;
      this.user?.onUpstreamReset();
    });
  }

  private onData(bytes: Buffer): void {
    // An idle connection on which the app speaks has lost count of its requests.
    if (this.user === null) this.destroy();
    else this.user.onUpstreamData(bytes);
  }

  /** It stands, and the app has taken all it was sent. */
  get reusable(): boolean {
    return !this.closed && this.socket.writableLength === 0;
  }

  destroy(): void {
    this.closed = true;
    this.user = null;
    this.socket.destroy();
  }
}
