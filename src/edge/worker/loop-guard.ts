import { hash } from 'node:crypto';
import type { Pool } from '../../model/snapshot.ts';
import type { RequestHead } from '../http/request-head.ts';

/**
 * What is sent to a server that Belay did not start may come back from there, round and round. So it
 * goes there with a name for this edge and environment in CDN-Loop (RFC 8586), and with that name it
 * is not taken again. The name is keyed: nobody but those it was sent to can have it said by others,
 * and it tells them nothing.
 */

/** Of SHA-256's hexadecimal digits: nobody guesses 64 bits. */
const DIGITS = 16;

/** @returns empty where nothing can come back, or nothing is there to make a name by */
export function loopName({ environment, external }: Pool, key: string): string {
  if (!external || key === '') return '';
  return `belay-${hash('sha256', `${key} loop ${environment}`).slice(0, DIGITS)}`;
}

export const loopField = (name: string): string => (name === '' ? '' : `CDN-Loop: ${name}\r\n`);

/** @param name of the route it is for, not empty */
export const hasBeenHere = (head: RequestHead, name: string): boolean =>
  head.fields.includes(name) && namesIn(head.fields).includes(name);

/** Of what stands in the CDN-Loop lines, without parameters. */
function namesIn(fields: string): string[] {
  return fields.split('\r\n').flatMap((line) => {
    const value = /^cdn-loop:(.*)$/i.exec(line)?.[1] ?? '';
    return value.split(',').map((element) => (element.split(';')[0] ?? '').trim());
  });
}
