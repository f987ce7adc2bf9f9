import type { Socket } from 'node:net';
import type { BodySink } from './body-reader.ts';
import { latin1 } from './latin1.ts';

/** Up to here, copying a piece of body into the text costs less than another buffer to write. */
const JOINED_BYTES = 8 * 1024;

/**
 * Writes messages to a socket: a small one, head and body, in one write of latin1 text, which
 * carries bytes as they are; a large one in the pieces it came in.
 */
export class MessageWriter implements BodySink {
  /** Some of the message that was begun is on its way: it cannot be taken back. */
  started = false;
  /** The socket has more to send than it should hold: wait for its `drain`. */
  blocked = false;
  private readonly socket: Socket;
  private text = '';
  private corked = false;
  private chunked = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Begins a message whose body, if any, is to be framed in chunks or stand as it is. */
  begin(head: string, chunked: boolean): void {
    this.text = this.text === '' ? head : this.text + head;
    this.chunked = chunked;
    this.started = false;
  }

  /** Takes back what has not been written. */
  discard(): void {
    this.text = '';
    this.chunked = false;
    this.flush();
  }

  data(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    if (this.chunked) this.text += `${size.toString(16)}\r\n`;
    if (size <= JOINED_BYTES) {
      this.text += latin1(bytes, start, end);
    } else {
      if (!this.corked) this.socket.cork();
      this.corked = true;
      this.writeText();
      this.blocked = !this.socket.write(bytes.subarray(start, end));
    }
    if (this.chunked) this.text += '\r\n';
  }

  /** Adds what is in order already. */
  raw(text: string): void {
    this.text += text;
  }

  end(trailers: string): void {
    if (this.chunked) this.text += `0\r\n${trailers}\r\n`;
    this.chunked = false;
  }

  flush(): void {
    this.writeText();
    if (!this.corked) return;
    this.corked = false;
    this.socket.uncork();
  }

  private writeText(): void {
    if (this.text === '') return;
    this.started = true;
    this.blocked = !this.socket.write(this.text, 'latin1');
    this.text = '';
  }
}
