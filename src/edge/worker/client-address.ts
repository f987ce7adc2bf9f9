import { isIP } from 'node:net';

/** The addresses of clients: as they are told on, and as they are counted. */

const GROUPS = 8;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0xffff];

/** IPv4 clients of a dual-stack listener look like IPv6 ones; a zone means nothing elsewhere. */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%');
  const plain = zone === -1 ? address : address.slice(0, zone);
  return plain.startsWith('::ffff:') && plain.includes('.') ? plain.slice(7) : plain;
}

/** As proxies write it: perhaps in brackets, perhaps with a port. Null when it is no address. */
export function readAddress(entry: string): string | null {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1];
  const address = bracketed ?? /^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ?? entry;
  return isIP(address) === 0 ? null : plainAddress(address);
}

/**
 * What clients are counted by: IPv4 addresses whole, IPv6 by /64, because that is what one customer
 * is given, who may then have as many addresses as he likes.
 */
export function countedAs(address: string): string {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  if (MAPPED_PREFIX.every((group, index) => groups[index] === group)) {
    const [high = 0, low = 0] = groups.slice(MAPPED_PREFIX.length);
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  }
  const prefix = groups.slice(0, GROUPS / 2).map((group) => group.toString(16));
  return `${prefix.join(':')}::/64`;
}

/** @param address IPv6 */
function groupsOf(address: string): number[] {
  const hexadecimal = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, ...bytes: string[]) => `${pair(bytes[0], bytes[1])}:${pair(bytes[2], bytes[3])}`,
  );
  const [left = [], right = []] = hexadecimal
    .split('::')
    .map((side) => (side === '' ? [] : side.split(':').map((group) => Number.parseInt(group, 16))));
  const zeros = Math.max(0, GROUPS - left.length - right.length);
  return [...left, ...Array<number>(zeros).fill(0), ...right];
}

const pair = (high = '', low = ''): string => (Number(high) * 256 + Number(low)).toString(16);
