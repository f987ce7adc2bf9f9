import { BlockList, isIPv6 } from 'node:net';
import { plainAddress, readAddress } from './client-address.ts';

/** The peers whose word is taken for whom they hand on. */
export class TrustedProxies {
  /** The settings they were made of. */
  readonly ranges: readonly string[];
  private readonly list = new BlockList();

  constructor(ranges: readonly string[]) {
    this.ranges = ranges;
    for (const range of ranges) {
      const [address = '', length] = range.split('/');
      const plain = plainAddress(address);
      const family = familyOf(plain);
      if (length === undefined) this.list.addAddress(plain, family);
      else this.list.addSubnet(plain, Number(length), family);
    }
  }

  has(address: string): boolean {
    return this.list.check(address, familyOf(address));
  }

  /**
   * The nearest that nobody trusted vouches for: of the addresses that hops have appended, the
   * rightmost that is no trusted proxy's. Where an entry is none, the one that handed it on.
   *
   * @param hops as in X-Forwarded-For
   * @param peer trusted itself
   */
  clientBehind(hops: readonly string[], peer: string): string {
    let client = peer;
    for (let i = hops.length - 1; i >= 0 && this.has(client); i -= 1) {
      const address = readAddress(hops[i] ?? '');
      if (address === null) break;
      client = address;
    }
    return client;
  }
}

/** The same object as before when nothing has changed; null where nobody is trusted. */
export function trustedProxies(
  ranges: readonly string[],
  before: TrustedProxies | null,
): TrustedProxies | null {
  if (ranges.length === 0) return null;
  return before?.ranges.join() === ranges.join() ? before : new TrustedProxies(ranges);
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
