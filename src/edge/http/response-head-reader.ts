import { latin1 } from './latin1.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';

const HEAD_END = '\r\n\r\n';
const STATUS_PREFIX = 'HTTP/1.';
const NOTHING = Buffer.alloc(0);

/** Finds the heads of responses in what a connection brings, however it is cut into pieces. */
export class ResponseHeadReader {
  /** What came last, with the part of a head that came before it. */
  bytes: Buffer = NOTHING;
  /** Where in it the last head ended. */
  position = 0;
  /** Of a head that is not all here. */
  private part: Buffer | null = null;

  /** Takes more bytes; they are looked at before this is called again. */
  add(bytes: Buffer): void {
    this.bytes = this.part === null ? bytes : Buffer.concat([this.part, bytes]);
    this.part = null;
    this.position = 0;
  }

  /** The next head; `partial` when it is not all here, `malformed` when it never will be one. */
  next(requestMethod: string, maxBytes: number): ResponseHead | 'partial' | 'malformed' {
    const start = this.position;
    const { bytes } = this;
    const end = bytes.indexOf(HEAD_END, start, 'latin1');
    if (end === -1) return this.hold(maxBytes);
    if (end - start > maxBytes) return 'malformed';
    this.position = end + HEAD_END.length;
    const own = start === 0 ? bytes : bytes.subarray(start);
    const text = latin1(bytes, start, this.position);
    return parseResponseHead(text, requestMethod, own) ?? 'malformed';
  }

  private hold(maxBytes: number): 'partial' | 'malformed' {
    const rest = this.bytes.subarray(this.position);
    const prefix = latin1(rest, 0, STATUS_PREFIX.length);
    if (!STATUS_PREFIX.startsWith(prefix) || rest.length > maxBytes) return 'malformed';
    this.part = rest.length === 0 ? null : Buffer.from(rest);
    return 'partial';
  }
}
