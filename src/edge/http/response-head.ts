import { CHUNKED, contentLength, UNTIL_CLOSE } from './body-framing.ts';
import {
  type ConnectionOptions,
  connectionOptions,
  noConnectionOptions,
} from './connection-field.ts';
import { withoutFields } from './field-lines.ts';
import { FieldScanner } from './field-scanner.ts';

const STATUS_LINE = /^HTTP\/1\.[01] [1-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** A response whose form is right, and of its header lines those that travel on. */
export interface ResponseHead {
  status: number;
  /** `200 OK`. */
  statusText: string;
  /** In bytes, 0 for none, `CHUNKED` or `UNTIL_CLOSE`. */
  body: number;
  /** The app leaves the connection open behind it. */
  keepAlive: boolean;
  /** From `Keep-Alive: timeout`; null when it says none. */
  keepAliveMs: number | null;
  upgrade: string;
  /** Header lines, each with its CRLF, without Transfer-Encoding. */
  fields: string;
}

const scanner = new FieldScanner();

/**
 * Reads a whole head, empty line included. Null when it cannot be framed without guessing.
 *
 * @param bytes of the text
 */
export function parseResponseHead(
  text: string,
  requestMethod: string,
  bytes?: Uint8Array,
): ResponseHead | null {
  const lineEnd = text.indexOf('\r\n');
  const isPlain = text.startsWith('HTTP/1.1 200 OK\r\n');
  if (!isPlain && !STATUS_LINE.test(text.slice(0, lineEnd))) return null;
  const head: ResponseHead = {
    status: isPlain ? 200 : Number(text.slice(9, 12)),
    // Without a reason, the space before it still has to be there (RFC 9112 section 4).
    statusText: isPlain ? '200 OK' : text.slice(9, lineEnd).padEnd(4),
    body: UNTIL_CLOSE,
    keepAlive: text.charCodeAt(7) === 0x31,
    keepAliveMs: null,
    upgrade: '',
    fields: '',
  };
  scanner.start(text, lineEnd + 2, bytes);
  return parseFields(text, head, requestMethod);
}

function parseFields(text: string, head: ResponseHead, requestMethod: string): ResponseHead | null {
  let length: string | null = null;
  let coding: string | null = null;
  let connection: ConnectionOptions = noConnectionOptions;
  let keptFrom = scanner.position;
  let fields = '';
  while (scanner.next()) {
    const name = scanner.interpretedName();
    if (name === '') continue;
    if (name === 'content-length') {
      if (length !== null) return null;
      length = scanner.value();
      // It means nothing there, and there must not be one (RFC 9110 section 8.6).
      if (head.status >= 200 && head.status !== 204) continue;
    } else if (name === 'transfer-encoding') {
      if (coding !== null) return null;
      coding = scanner.value().toLowerCase();
    } else if (name === 'connection') {
      connection = connectionOptions(connection, scanner.value());
    } else if (name === 'keep-alive') {
      head.keepAliveMs = keepAliveTimeoutMs(scanner.value());
    } else if (name === 'upgrade') {
      head.upgrade = scanner.value();
    } else if (name !== 'te' && !name.startsWith('proxy-')) {
      continue;
    }
    fields += text.slice(keptFrom, scanner.lineStart);
    keptFrom = scanner.position;
  }
  if (scanner.problem !== null) return null;
  fields += text.slice(keptFrom, scanner.position - 2);
  head.fields = connection.named === null ? fields : withoutFields(fields, connection.named);
  if (connection.close) head.keepAlive = false;
  else if (connection.keepAlive) head.keepAlive = true;
  return setBody(head, length, coding, text, requestMethod);
}

function setBody(
  head: ResponseHead,
  length: string | null,
  coding: string | null,
  text: string,
  requestMethod: string,
): ResponseHead | null {
  const sizeBytes = length === null ? UNTIL_CLOSE : contentLength(length);
  if (length !== null && (coding !== null || Number.isNaN(sizeBytes))) return null;
  if (coding !== null && (coding !== 'chunked' || text.charCodeAt(7) !== 0x31)) return null;
  if (requestMethod === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304) {
    head.body = 0;
  } else if (coding !== null) head.body = CHUNKED;
  else if (length !== null) head.body = sizeBytes;
  else head.keepAlive = false;
  return head;
}

function keepAliveTimeoutMs(value: string): number | null {
  const seconds = /(?:^|[\s,;])timeout\s*=\s*(\d{1,6})/i.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
