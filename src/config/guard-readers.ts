import type { Guard } from '../model/guard.ts';
import { parseHostName } from './host-names.ts';
import { boolean, positiveNumber, wholeNumber } from './leaves.ts';
import { rulesByPath } from './path-rules.ts';
import { distinct, list, type Reader, refusal, section, unlike } from './reader.ts';

/** The keys of `edge.guard`. Bounds are those of `model/guard.ts`. */

const MILLION = 1_000_000;
const MOST_NAMES = 100;
/** More than the longest User-Agent that anybody sends. */
const LONGEST_PART = 200;
const HOSTS = "['shop.partner.example']";
const PARTS = "['GPTBot']";

/** A guard, apart from its path. */
export type WrittenGuard = Omit<Guard, 'path'>;
/** Off, or the guards by their paths, in order. */
export type WrittenGuards = false | Record<string, WrittenGuard>;

const hosts = bounded(
  distinct(
    list(HOSTS, (item) => {
      const host = parseHostName(item);
      if (host !== '*') return host;
      throw refusal("has '*', and then anybody may embed it", 'leave out referers');
    }),
  ),
);

const refererKeys = section({ hosts, strict: boolean });

/** `true` for the environment's own names alone, or a list of others, stand for themselves. */
const referers: Reader<Guard['referers']> = (value, keyPath, report) => {
  if (typeof value === 'boolean') return value ? { hosts: [], strict: false } : null;
  if (Array.isArray(value) || typeof value !== 'object') {
    const others = hosts(value, keyPath, report);
    return others && { hosts: others, strict: false };
  }
  const keys = refererKeys(value, keyPath, report);
  return keys && { hosts: keys.hosts ?? [], strict: keys.strict ?? false };
};

/** In lower case: clients write their names as they like. */
const parts = bounded(
  distinct(
    list(PARTS, (item) => {
      if (typeof item !== 'string') throw unlike('a list of names', item, PARTS);
      if (item.trim() === '') {
        throw refusal('has an empty name, which is part of every other', `write ${PARTS}, say`);
      }
      if (item.length > LONGEST_PART || !/^[ -~]+$/.test(item)) {
        throw refusal(`has '${item}', which is no part of a User-Agent`, `write ${PARTS}, say`);
      }
      return item.toLowerCase();
    }),
  ),
);

const botKeys = section({ refuse: parts, allow: parts, nameless: boolean });

const bots: Reader<NonNullable<Guard['bots']>> = (value, keyPath, report) => {
  if (Array.isArray(value) || typeof value !== 'object') {
    const refuse = parts(value, keyPath, report);
    return refuse && { refuse, allow: [], nameless: true };
  }
  const keys = botKeys(value, keyPath, report);
  if (!keys) return undefined;
  const { refuse = [], allow = [], nameless = true } = keys;
  if (refuse.length === 0 && allow.length > 0) {
    const hint = "write refuse: ['bot', 'crawler', 'spider'], say, from which these are excepted";
    report({ keyPath: `${keyPath}.allow`, what: 'is set without refuse', hint });
  }
  return { refuse, allow, nameless };
};

const rateKeys = section({
  requestsPerSecond: positiveNumber('a number of requests', MILLION, 5),
  burst: wholeNumber(1, MILLION),
});

const rate: Reader<NonNullable<Guard['rate']>> = (value, keyPath, report) => {
  if (typeof value === 'number') return rate({ requestsPerSecond: value }, keyPath, report);
  const keys = rateKeys(value, keyPath, report);
  if (!keys) return undefined;
  const { requestsPerSecond, burst } = keys;
  if (requestsPerSecond === undefined) {
    if ('requestsPerSecond' in Object(value)) return undefined;
    const hint = 'write { requestsPerSecond: 5, burst: 10 }, say';
    report({ keyPath, what: 'does not say requestsPerSecond, and so bounds nothing', hint });
    return undefined;
  }
  return { requestsPerSecond, burst: burst ?? Math.ceil(requestsPerSecond) };
};

const guardKeys = section({ signed: boolean, referers, bots, rate });

const guard: Reader<WrittenGuard> = (value, keyPath, report) => {
  if (value === false) return { signed: false, referers: null, bots: null, rate: null };
  const keys = guardKeys(value, keyPath, report);
  if (!keys) return undefined;
  const { signed = false, referers: others = null, bots: refused = null, rate: most = null } = keys;
  return { signed, referers: others, bots: refused, rate: most };
};

const guards = rulesByPath(guard, {
  tooMany: "put together what is guarded alike: '/videos/*'",
});

/** Off, or guards by path. */
export const guardReader: Reader<WrittenGuards> = (value, keyPath, report) => {
  if (value === false) return false;
  if (typeof value === 'object') return guards(value, keyPath, report);
  const { message } = unlike('an object of guards by path, or false', value, '');
  report({ keyPath, what: message, hint: "write { '/videos/*': { signed: true } }, say" });
  return undefined;
};

function bounded(read: Reader<string[]>): Reader<string[]> {
  return (value, keyPath, report) => {
    const items = read(value, keyPath, report);
    if (!items || items.length <= MOST_NAMES) return items;
    const what = `has ${items.length} names; the most is ${MOST_NAMES}`;
    report({ keyPath, what, hint: 'leave some out' });
    return undefined;
  };
}
