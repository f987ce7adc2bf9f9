import type { Limits } from '../limits.ts';
import { requestFraming } from './body-framing.ts';
import {
  type ConnectionOptions,
  connectionOptions,
  noConnectionOptions,
} from './connection-field.ts';
import { withoutFields } from './field-lines.ts';
import { FieldScanner } from './field-scanner.ts';
import { type Refusal, refusals } from './refusal.ts';
import { isRemovedField, tellsOfClient } from './removed-fields.ts';
import { parseRequestLine } from './request-line.ts';
import { readAsked } from './request-target.ts';

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
  /** Those that tell of the client: they travel on only if a trusted proxy wrote them. */
  forwarding: string;
  /** Length of the head with its empty line. */
  headBytes: number;
}

const scanner = new FieldScanner();

/** Reads a head. The text may go on behind it. @param bytes of the text */
export function parseRequestHead(
  text: string,
  limits: Limits,
  bytes?: Uint8Array,
): RequestHead | Refusal {
  const lineEnd = text.indexOf('\r\n');
  const line = parseRequestLine(text, lineEnd, limits);
  if ('status' in line) return line;
  const head: RequestHead = {
    method: line.method,
    target: line.target,
    minorVersion: line.minorVersion,
    host: '',
    hostName: '',
    body: 0,
    keepAlive: line.minorVersion === 1,
    expectsContinue: false,
    upgrade: '',
    fields: '',
    forwarding: '',
    headBytes: 0,
  };
  scanner.start(text, lineEnd + 2, bytes);
  return parseFields(text, head, limits);
}

export const isRefusal = (head: RequestHead | Refusal): head is Refusal => 'status' in head;

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
    } else if (name !== UNDERSCORED) {
      if (!isRemovedField(name)) continue;
      if (tellsOfClient(name)) head.forwarding += text.slice(scanner.lineStart, scanner.position);
    }
    fields += text.slice(keptFrom, scanner.lineStart);
    keptFrom = scanner.position;
  }
  if (scanner.problem !== null) return fieldRefusal(scanner.problem);
  fields += text.slice(keptFrom, scanner.position - 2);
  head.fields = connection.named === null ? fields : withoutFields(fields, connection.named);
  head.headBytes = scanner.position;
  const framing = requestFraming(length, coding, head.minorVersion);
  if (typeof framing !== 'number') return framing;
  head.body = framing;
  return readAsked(head, host) ?? setConnection(head, connection, upgrade);
}

function fieldRefusal(problem: NonNullable<FieldScanner['problem']>): Refusal {
  if (problem === 'folded') return refusals.folded;
  return problem === 'malformed' ? refusals.malformedField : refusals.controlCharacter;
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
