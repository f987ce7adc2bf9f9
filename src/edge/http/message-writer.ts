import type { Socket } from 'node:net';
import type { BodySink } from './body-reader.ts';
import { latin1 } from './latin1.ts';

/** Up to here, a piece of body joins the text: cheaper than to build a buffer of both. */
const JOINED_BYTES = 4 * 1024;
/** One read of Node's, with the head before it. */
const SCRATCH_BYTES = 64 * 1024 + 16 * 1024;

/** What large pieces are written from, as long as no socket still needs what is in it. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * Writes messages to a socket: a small one, head and body, in one write of latin1 text, which
 * carries bytes as they are; a large one in the pieces it came in, each copied once, so that what
 * was read into can be read into again.
 */
export class MessageWriter implements BodySink {
  /** Some of the message that was begun is on its way: it cannot be taken back. */
  started = false;
  /** The socket has more to send than it should hold: wait for its `drain`. */
  blocked = false;
  private readonly socket: Socket;
  /** What the kernel had yet to take when that was last looked at. */
  private queuedBytes = 0;
  private text = '';
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
  }

  data(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    if (this.chunked) this.text += `${size.toString(16)}\r\n`;
    if (size <= JOINED_BYTES) this.text += latin1(bytes, start, end);
    else this.writeCopy(bytes, start, end);
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
    if (this.text === '') return;
    this.started = true;
    const { text } = this;
    this.text = '';
    this.blocked = !this.socket.write(text, 'latin1');
    if (this.blocked) this.queuedBytes = queuedBytes(this.socket);
  }

  /** Writes bytes that nobody changes any more, behind the text so far, without copying them. */
  headAndBody(head: string, body: Buffer): void {
    const text = this.text + head;
    this.text = '';
    this.started = true;
    this.socket.cork();
    if (text !== '') this.socket.write(text, 'latin1');
    this.blocked = !this.socket.write(body);
    this.socket.uncork();
    if (this.blocked) this.queuedBytes = queuedBytes(this.socket);
  }

  /** Whether the kernel has taken anything since this was last asked, or since it was blocked. */
  progressed(): boolean {
    const before = this.queuedBytes;
    this.queuedBytes = queuedBytes(this.socket);
    return this.queuedBytes !== before;
  }

  /** Writes the text so far and a copy of the bytes, together. */
  private writeCopy(bytes: Buffer, start: number, end: number): void {
    const textBytes = this.text.length;
    const total = textBytes + end - start;
    const out = total <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafeSlow(total);
    out.write(this.text, 0, 'latin1');
    bytes.copy(out, textBytes, start, end);
    this.text = '';
    this.started = true;
    this.blocked = !this.socket.write(out.subarray(0, total));
    if (this.blocked) this.queuedBytes = queuedBytes(this.socket);
    // Nearly always the kernel takes it at once; if not, the socket keeps the buffer.
    if (out === scratch && this.socket.writableLength > 0) {
      scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    }
  }
}

/**
 * What the kernel has yet to take of the write that is on its way. Node's own socket timeouts look
 * at the same number; `writableLength` stands still until a write is done, and a slow reader may
 * take minutes over one.
 */
function queuedBytes(socket: Socket): number {
  const { _handle } = socket as Socket & { _handle?: { writeQueueSize: number } | null };
  return _handle?.writeQueueSize ?? 0;
}
