import { CHUNKED, UNTIL_CLOSE } from './body-framing.ts';
import { FieldScanner } from './field-scanner.ts';
import { latin1 } from './latin1.ts';
import { isRemovedField } from './removed-fields.ts';

/** Takes the bytes of a body, free of their framing, as they come. */
export interface BodySink {
  data(bytes: Buffer, start: number, end: number): void;
}

/** A chunk's size: no sign, no space, no overflow. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,12})(;.*)?\r$/;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';
/** Extensions stay here, but what they do not look like, another reader may take for framing. */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)+$`);
const MAX_LINE_BYTES = 272;
const MAX_TRAILER_BYTES = 8 * 1024;
const LF = 0x0a;

/** A trailer with one of these could change what the next reader takes the message to be. */
const FORBIDDEN_TRAILERS = new Set([
  'connection',
  'content-length',
  'host',
  'te',
  'transfer-encoding',
  'upgrade',
]);

type State = 'size' | 'data' | 'data-end' | 'trailers' | 'done' | 'malformed';

/** Finds the end of one body at a time, in either direction, and checks chunked framing strictly. */
export class BodyReader {
  /** Trailer lines that travel on, each with its CRLF. */
  trailers = '';
  receivedBytes = 0;
  private state: State = 'done';
  private framing = 0;
  private leftBytes = 0;
  /** The part of a line that has come. */
  private line = '';
  private trailerLines = '';

  /** @param framing a number of bytes, `CHUNKED` or `UNTIL_CLOSE` */
  start(framing: number): void {
    this.framing = framing;
    this.leftBytes = framing === UNTIL_CLOSE ? Number.POSITIVE_INFINITY : Math.max(0, framing);
    this.state = framing === CHUNKED ? 'size' : framing === 0 ? 'done' : 'data';
    this.receivedBytes = 0;
    this.line = '';
    this.trailers = '';
    this.trailerLines = '';
  }

  get done(): boolean {
    return this.state === 'done';
  }

  get malformed(): boolean {
    return this.state === 'malformed';
  }

  /** Reads from `start` on and returns where it stopped: behind the body, or at the end. */
  read(bytes: Buffer, start: number, sink: BodySink): number {
    let position = start;
    while (position < bytes.length && this.state !== 'done' && this.state !== 'malformed') {
      position =
        this.state === 'data'
          ? this.readData(bytes, position, sink)
          : this.readLine(bytes, position);
    }
    return position;
  }

  private readData(bytes: Buffer, start: number, sink: BodySink): number {
    const end = Math.min(bytes.length, start + this.leftBytes);
    sink.data(bytes, start, end);
    this.leftBytes -= end - start;
    this.receivedBytes += end - start;
    if (this.leftBytes === 0) this.state = this.framing === CHUNKED ? 'data-end' : 'done';
    return end;
  }

  private readLine(bytes: Buffer, start: number): number {
    const feed = bytes.indexOf(LF, start);
    const end = feed === -1 ? bytes.length : feed;
    this.line += latin1(bytes, start, end);
    if (this.line.length > (this.state === 'trailers' ? MAX_TRAILER_BYTES : MAX_LINE_BYTES)) {
      this.state = 'malformed';
    } else if (feed !== -1) {
      const line = this.line;
      this.line = '';
      this.takeLine(line);
    }
    return feed === -1 ? end : feed + 1;
  }

  private takeLine(line: string): void {
    if (this.state === 'size') {
      this.takeSize(SIZE_LINE.exec(line));
    } else if (this.state === 'data-end') {
      this.state = line === '\r' ? 'size' : 'malformed';
    } else if (line === '\r') {
      this.state = this.takeTrailers() ? 'done' : 'malformed';
    } else if (!line.endsWith('\r')) {
      this.state = 'malformed';
    } else {
      this.trailerLines += `${line}\n`;
      if (this.trailerLines.length > MAX_TRAILER_BYTES) this.state = 'malformed';
    }
  }

  private takeSize(match: RegExpExecArray | null): void {
    const [, digits, extensions] = match ?? [];
    if (digits === undefined || (extensions !== undefined && !EXTENSIONS.test(extensions))) {
      this.state = 'malformed';
      return;
    }
    this.leftBytes = Number.parseInt(digits, 16);
    this.state = this.leftBytes === 0 ? 'trailers' : 'data';
  }

  private takeTrailers(): boolean {
    if (this.trailerLines === '') return true;
    const scanner = new FieldScanner();
    scanner.start(`${this.trailerLines}\r\n`, 0);
    while (scanner.next()) {
      const name = scanner.name();
      if (FORBIDDEN_TRAILERS.has(name)) return false;
      if (scanner.underscored || isRemovedField(name)) continue;
      this.trailers += this.trailerLines.slice(scanner.lineStart, scanner.position);
    }
    return scanner.problem === null && scanner.position === this.trailerLines.length + 2;
  }
}
