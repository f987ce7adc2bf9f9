import type { Guard } from '../model/guard.ts';
import { code } from './code.ts';

/** What a configuration says of who may ask for what, as its user would write it. */
export function guardSettings(guards: readonly Guard[]): [string, string][] {
  if (guards.length === 0) return [['edge.guard', 'false']];
  return [
    // In the order in which they count.
    ['edge.guard', guards.map(({ path }) => path).join(', ')],
    ...guards.map((guard): [string, string] => [`edge.guard.${guard.path}`, guardCode(guard)]),
  ];
}

/** What is as it is without being said is left out. */
function guardCode({ signed, referers, bots, rate }: Guard): string {
  const written = {
    signed: signed ? true : null,
    referers: referers && refererKeys(referers),
    bots: bots && botKeys(bots),
    rate,
  };
  return Object.values(written).every((value) => value === null) ? 'false' : code(written);
}

function refererKeys({ hosts, strict }: NonNullable<Guard['referers']>): unknown {
  if (strict) return { hosts: listOrNot(hosts), strict };
  return hosts.length === 0 ? true : hosts;
}

function botKeys({ refuse, allow, nameless }: NonNullable<Guard['bots']>): unknown {
  if (allow.length === 0 && nameless) return refuse;
  const refused = nameless ? null : nameless;
  return { refuse: listOrNot(refuse), allow: listOrNot(allow), nameless: refused };
}

const listOrNot = (names: readonly string[]) => (names.length === 0 ? null : names);
