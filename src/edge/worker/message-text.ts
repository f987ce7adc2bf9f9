import { CHUNKED } from '../http/body-framing.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ResponseHead } from '../http/response-head.ts';

/** The heads that go out, made of those that came in. Each with its empty line. */

/** @param forwarded the fields that tell of the client */
export function requestText(
  head: RequestHead,
  target: { host: string; port: number },
  forwarded: string,
  id: string,
): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\n`;
  if (head.host === '') text += `Host: ${target.host}:${target.port}\r\n`;
  text += `${head.fields}${forwarded}X-Request-Id: ${id}\r\n`;
  if (head.body === CHUNKED) text += 'Transfer-Encoding: chunked\r\n';
  if (head.upgrade !== '') text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return `${text}\r\n`;
}

/** @param moreFields lines of the edge's own */
export function responseText(
  head: ResponseHead,
  client: { chunked: boolean; keep: boolean; minorVersion: number },
  moreFields: string,
): string {
  let text = `HTTP/1.1 ${head.statusText}\r\n${head.fields}${moreFields}`;
  if (client.chunked) text += 'Transfer-Encoding: chunked\r\n';
  if (!client.keep) text += 'Connection: close\r\n';
  else if (client.minorVersion === 0) text += 'Connection: keep-alive\r\n';
  return `${text}\r\n`;
}

/** 100 Continue and its like. */
export const interimText = (head: ResponseHead): string =>
  `HTTP/1.1 ${head.statusText}\r\n${head.fields}\r\n`;

export const switchText = (head: ResponseHead, protocol: string, moreFields: string): string =>
  `HTTP/1.1 ${head.statusText}\r\n${head.fields}${moreFields}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
