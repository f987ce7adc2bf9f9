import { hostName } from '../../http/host.ts';

/** Names of hosts, as rules of the routing state have them: `*` for any, `*.x` for one label below x. */
export class HostNames {
  private readonly exact = new Set<string>();
  /** By what stands behind `*.`. */
  private readonly wild = new Set<string>();

  constructor(names: readonly string[]) {
    for (const name of names) {
      if (name.startsWith('*.')) this.wild.add(name.slice(2));
      else this.exact.add(name);
    }
  }

  has(name: string): boolean {
    if (this.exact.has(name)) return true;
    const dot = name.indexOf('.');
    return dot > 0 && this.wild.has(name.slice(dot + 1));
  }
}

/**
 * Whether a page may embed what is asked for. A page of the same name always may.
 *
 * @param referer the value of the field; null where it is not there
 * @param ownName that the request asks
 * @param strict whether a page has to be named
 */
export function mayEmbed(
  referer: string | null,
  ownName: string,
  allowed: HostNames,
  strict: boolean,
): boolean {
  // Browsers leave it out for privacy's sake, and clients that are no browsers always.
  if (referer === null || referer === '') return !strict;
  const authority = /^https?:\/\/([^/?#]*)/i.exec(referer)?.[1];
  const name = authority === undefined ? null : hostName(authority);
  return name !== null && (name === ownName || allowed.has(name));
}
