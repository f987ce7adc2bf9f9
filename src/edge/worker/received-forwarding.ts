import { FieldScanner } from '../http/field-scanner.ts';
import { hostName } from '../http/host.ts';

/** ALB's bound, above which it answers 463. */
export const MOST_HOPS = 30;

/** What a proxy says of the request that it hands on. */
export interface ReceivedForwarding {
  /** X-Forwarded-For, from the client on. */
  hops: string[];
  /** Forwarded, in one line; empty for none. */
  forwarded: string;
  /** Null for none, or none of good form. */
  proto: string | null;
  host: string | null;
  port: string | null;
  requestId: string | null;
}

const PROTO = /^[A-Za-z][A-Za-z0-9+.-]{0,31}$/;
const PORT = /^\d{1,5}$/;
/** Enough for every tracing system's, and nothing that a log would have to quote. */
const REQUEST_ID = /^[\w.:+/=@-]{1,128}$/;

/** @param lines of a head that tell of the client, each with its CRLF */
export function readForwarding(lines: string): ReceivedForwarding {
  const received: ReceivedForwarding = {
    hops: [],
    forwarded: '',
    proto: null,
    host: null,
    port: null,
    requestId: null,
  };
  const scanner = new FieldScanner();
  scanner.start(`${lines}\r\n`, 0);
  while (scanner.next()) readLine(received, scanner.name(), scanner.value());
  return received;
}

/** Of what is said more than once, the last is the proxy's own. */
function readLine(received: ReceivedForwarding, name: string, value: string): void {
  const last = value.slice(value.lastIndexOf(',') + 1).trim();
  switch (name) {
    case 'x-forwarded-for':
      for (const hop of value.split(',')) if (hop.trim() !== '') received.hops.push(hop.trim());
      return;
    case 'forwarded':
      if (value !== '') received.forwarded += `${received.forwarded === '' ? '' : ', '}${value}`;
      return;
    case 'x-forwarded-proto':
      received.proto = PROTO.test(last) ? last : null;
      return;
    case 'x-forwarded-host':
      received.host = last !== '' && hostName(last) !== null ? last : null;
      return;
    case 'x-forwarded-port':
      received.port = PORT.test(last) ? last : null;
      return;
    case 'x-request-id':
      received.requestId = REQUEST_ID.test(value) ? value : null;
  }
}
