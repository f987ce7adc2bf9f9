import type { Limits } from '../limits.ts';
import { CR, consistsOf, isToken, LF, targetTable } from './characters.ts';
import {
  type ConnectionOptions,
  connectionOptions,
  noConnectionOptions,
  withoutNamed,
} from './connection-field.ts';
import { FieldScanner } from './field-scanner.ts';
import { hostName } from './host.ts';
import { type Refusal, refusals } from './refusal.ts';
import { isRemovedField } from './removed-fields.ts';

/** How a body is delimited: a number of bytes, or one of these. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

const DIGITS = /^[0-9]+$/;
/** The digits of Number.MAX_SAFE_INTEGER, less one. */
const MAX_LENGTH_DIGITS = 15;
/** Stands for every name with an underscore: an app may take it for another's, so none goes on. */
const UNDERSCORED = '_';

/** A request whose form is right, and of its header lines those that travel on. */
export interface RequestHead {
  method: string;
  /** Origin-form, or `*`. */
  target: string;
  /** 1 for HTTP/1.1. */
  minorVersion: number;
  /** The Host as it was sent; empty only in HTTP/1.0. */
  host: string;
  /** The name in it, ready to be looked up. */
  hostName: string;
  /** In bytes, 0 for none, or `CHUNKED`. */
  body: number;
  keepAlive: boolean;
  expectsContinue: boolean;
  /** The protocol to switch to; empty for none. */
  upgrade: string;
  /** Header lines, each with its CRLF. */
  fields: string;
  /** Length of the head with its empty line. */
  headBytes: number;
}

/** What a request line has beside its target, with room for a long method. */
const LINE_OVERHEAD = 64;
/** Half a line end, or NUL. Global, so that it can begin where it left off. */
const strayByte = /(?<!\r)\n|\r(?=[^\n])|\0/g;

const scanner = new FieldScanner();

/** The last Host that was read, because the next one is nearly always the same. */
let lastHost = '';
let lastHostName: string | null = '';

/** Reads a head. The text may go on behind it. */
export function parseRequestHead(text: string, limits: Limits): RequestHead | Refusal {
  const lineEnd = text.indexOf('\r\n');
  const line = parseRequestLine(text, lineEnd, limits);
  if ('status' in line) return line;
  scanner.start(text, lineEnd + 2);
  return parseFields(text, line, limits);
}

export const isRefusal = (head: RequestHead | Refusal): head is Refusal => 'status' in head;

/**
 * What is wrong with a head of which only the beginning is here; null when nothing yet.
 *
 * @param seen so many bytes of it were found good before, and only what is new is looked at
 */
export function earlyRefusal(text: string, seen: number, limits: Limits): Refusal | null {
  strayByte.lastIndex = Math.max(0, seen - 1);
  if (strayByte.test(text)) return refusals.controlCharacter;
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd === -1) {
    return text.length > limits.targetBytes + LINE_OVERHEAD ? refusals.targetTooLong : null;
  }
  if (lineEnd + 2 <= seen) return null;
  const line = parseRequestLine(text, lineEnd, limits);
  return 'status' in line ? line : null;
}

function parseRequestLine(text: string, lineEnd: number, limits: Limits): RequestHead | Refusal {
  const methodEnd = text.indexOf(' ');
  if (methodEnd <= 0 || methodEnd > lineEnd) return refusals.malformedLine;
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  if (targetEnd === -1 || targetEnd > lineEnd) return refusals.malformedLine;
  const method = text.slice(0, methodEnd);
  if (method !== 'GET' && !isToken(method)) return refusals.badMethod;
  if (targetEnd - methodEnd - 1 > limits.targetBytes) return refusals.targetTooLong;
  if (!consistsOf(targetTable, text, methodEnd + 1, targetEnd)) return refusals.badTarget;
  const minorVersion = parseVersion(text, targetEnd + 1, lineEnd);
  if (minorVersion < 0) return minorVersion === -1 ? refusals.malformedLine : refusals.badVersion;
  if (method === 'CONNECT' || method === 'TRACE') return refusals.methodNotAllowed;
  return {
    method,
    target: text.slice(methodEnd + 1, targetEnd),
    minorVersion,
    host: '',
    hostName: '',
    body: 0,
    keepAlive: minorVersion === 1,
    expectsContinue: false,
    upgrade: '',
    fields: '',
    headBytes: 0,
  };
}

/** 0 or 1; −1 for what is no version, −2 for one we do not speak. */
function parseVersion(text: string, start: number, end: number): number {
  if (end - start !== 8 || !text.startsWith('HTTP/', start)) return -1;
  if (text.startsWith('1.1', start + 5)) return 1;
  if (text.startsWith('1.0', start + 5)) return 0;
  return /^\d\.\d$/.test(text.slice(start + 5, end)) ? -2 : -1;
}

function parseFields(text: string, head: RequestHead, limits: Limits): RequestHead | Refusal {
  let host: string | null = null;
  let length: string | null = null;
  let coding: string | null = null;
  let upgrade = '';
  let connection: ConnectionOptions = noConnectionOptions;
  let count = 0;
  let keptFrom = scanner.position;
  let fields = '';
  while (scanner.next()) {
    count += 1;
    if (count > limits.fields) return refusals.tooManyFields;
    const name = scanner.underscored ? UNDERSCORED : scanner.interpretedName();
    if (name === '') continue;
    if (name === 'host') {
      if (host !== null) return refusals.repeatedHost;
      host = scanner.value();
      continue;
    }
    if (name === 'content-length') {
      if (length !== null) return refusals.badLength;
      length = scanner.value();
      continue;
    }
    if (name === 'expect') {
      if (scanner.value().toLowerCase() !== '100-continue') return refusals.unknownExpectation;
      head.expectsContinue = head.minorVersion === 1;
      if (head.expectsContinue) continue;
    } else if (name === 'transfer-encoding') {
      if (coding !== null) return refusals.badCoding;
      coding = scanner.value().toLowerCase();
    } else if (name === 'connection') {
      connection = connectionOptions(connection, scanner.value());
    } else if (name === 'upgrade') {
      upgrade = upgrade === '' ? scanner.value() : `${upgrade}, ${scanner.value()}`;
    } else if (name !== UNDERSCORED && !isRemovedField(name)) {
      continue;
    }
    fields += text.slice(keptFrom, scanner.lineStart);
    keptFrom = scanner.position;
  }
  if (scanner.problem !== null) return fieldRefusal(scanner.problem);
  fields += text.slice(keptFrom, scanner.position - 2);
  head.fields = connection.named === null ? fields : withoutNamed(fields, connection.named);
  head.headBytes = scanner.position;
  return (
    setBody(head, length, coding, limits) ??
    setHost(head, host) ??
    setConnection(head, connection, upgrade)
  );
}

function fieldRefusal(problem: NonNullable<FieldScanner['problem']>): Refusal {
  if (problem === 'folded') return refusals.folded;
  return problem === 'malformed' ? refusals.malformedField : refusals.controlCharacter;
}

function setBody(
  head: RequestHead,
  length: string | null,
  coding: string | null,
  limits: Limits,
): Refusal | null {
  if (coding !== null) {
    if (head.minorVersion === 0) return refusals.codingBefore11;
    if (length !== null) return refusals.lengthAndCoding;
    if (coding === '' || /^chunked\s*,|,\s*$|^,/.test(coding)) return refusals.badCoding;
    if (coding !== 'chunked') return refusals.unknownCoding;
    head.body = CHUNKED;
  } else if (length !== null) {
    if (!DIGITS.test(length)) return refusals.badLength;
    if (length.length > MAX_LENGTH_DIGITS) return refusals.bodyTooLarge;
    head.body = Number(length);
    if (head.body > limits.requestBodyBytes) return refusals.bodyTooLarge;
  }
  return null;
}

function setHost(head: RequestHead, host: string | null): Refusal | null {
  if (host === null) {
    if (head.minorVersion === 1) return refusals.noHost;
  } else {
    if (host !== lastHost) {
      lastHost = host;
      lastHostName = hostName(host);
    }
    if (lastHostName === null || host === '') return refusals.badHost;
    head.host = host;
    head.hostName = lastHostName;
  }
  return head.target.charCodeAt(0) === 0x2f ? null : setOtherTarget(head);
}

/** Absolute-form becomes origin-form; `*` is for OPTIONS only. */
function setOtherTarget(head: RequestHead): Refusal | null {
  if (head.target === '*') return head.method === 'OPTIONS' ? null : refusals.badTarget;
  const match = /^https?:\/\/([^/?]+)(.*)$/i.exec(head.target);
  const authority = match?.[1];
  if (authority === undefined) return refusals.badTarget;
  const name = hostName(authority);
  if (name === null) return refusals.badTarget;
  if (head.host === '') {
    head.host = authority;
    head.hostName = name;
    head.fields = `Host: ${authority}\r\n${head.fields}`;
  } else if (authority.toLowerCase() !== head.host.toLowerCase()) {
    return refusals.otherAuthority;
  }
  const rest = match?.[2] ?? '';
  head.target = rest.startsWith('/') ? rest : `/${rest}`;
  return null;
}

function setConnection(
  head: RequestHead,
  connection: ConnectionOptions,
  upgrade: string,
): RequestHead {
  if (connection.close) head.keepAlive = false;
  else if (head.minorVersion === 0) head.keepAlive = connection.keepAlive;
  // h2c would let a client speak past us; a body before a switch is nothing that anybody sends.
  if (connection.upgrade && upgrade !== '' && head.minorVersion === 1 && head.body === 0) {
    if (!/(^|[\s,])h2c?([\s,]|$)/i.test(upgrade)) head.upgrade = upgrade;
  }
  return head;
}

/** Whether a head's bytes begin with the empty line that clients used to send behind a POST. */
export const startsWithEmptyLine = (bytes: Buffer): boolean => bytes[0] === CR && bytes[1] === LF;
