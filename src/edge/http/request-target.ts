import { hostName } from './host.ts';
import { flat } from './latin1.ts';
import { type Refusal, refusals } from './refusal.ts';

/** Whom a request asks, and for what: what its target and its Host say together. */
export interface Asked {
  /** In: as it was sent. Out: origin-form, or `*`. */
  target: string;
  host: string;
  hostName: string;
  fields: string;
}

/** The last Host that was read, because the next one is nearly always the same. */
let lastHost = '';
let lastHostName: string | null = '';

/** Reads the Host into a head, and makes its target origin-form. @param host null for none */
export function readAsked(
  head: Asked & { method: string; minorVersion: number },
  host: string | null,
): Refusal | null {
  if (host === null) {
    if (head.minorVersion === 1) return refusals.noHost;
  } else {
    if (host !== lastHost) {
      lastHost = flat(host);
      lastHostName = hostName(lastHost);
    }
    if (lastHostName === null || host === '') return refusals.badHost;
    head.host = lastHost;
    head.hostName = lastHostName;
  }
  if (head.target.charCodeAt(0) === 0x2f) return null;
  if (head.target === '*') return head.method === 'OPTIONS' ? null : refusals.badTarget;
  return readAbsolute(head);
}

/** Absolute-form becomes origin-form. */
function readAbsolute(head: Asked & { method: string }): Refusal | null {
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
  // RFC 9112 section 3.2.4: without a path, it asks about the server.
  if (rest === '' && head.method === 'OPTIONS') head.target = '*';
  else head.target = rest.startsWith('/') ? rest : `/${rest}`;
  return null;
}
