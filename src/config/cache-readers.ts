import { type CacheRule, HONOUR_THE_APP } from '../model/cache.ts';
import { cookieNames, fieldNames, parameterNames, tagNames } from './cache-names.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { rulesByPath } from './path-rules.ts';
import { describe, leaf, type Reader, refusal, section, unlike } from './reader.ts';

/** The keys of `edge.cache`. Bounds are those of `model/cache.ts`. */

const YEAR_MS = 365 * 86_400_000;

/** A rule, apart from its path. */
export type WrittenRule = Omit<CacheRule, 'path'>;
/** Off, on without rules, or the rules by their paths, in order. */
export type WrittenCache = boolean | Record<string, WrittenRule>;

const { path: _, ...honourTheApp } = HONOUR_THE_APP;
const bypass: WrittenRule = { ...honourTheApp, bypass: true };

/** HTTP counts in whole seconds. */
const seconds: Reader<number> = leaf((value) => {
  const durationMs = parseDuration(value, 0, YEAR_MS);
  if (durationMs % 1_000 === 0) return durationMs / 1_000;
  const rounded = formatDuration(Math.ceil(durationMs / 1_000) * 1_000);
  throw refusal(`is ${value}, which is no whole number of seconds`, `write '${rounded}'`);
});

const orNot =
  <T>(otherwise: T): Reader<number | T> =>
  (value, keyPath, report) =>
    value === false ? otherwise : seconds(value, keyPath, report);

const ttlKeys = section({ min: seconds, default: seconds, max: seconds });

type Ttl = Pick<CacheRule, 'leastS' | 'otherwiseS' | 'mostS'>;

/** A time alone is the default. */
const ttl: Reader<Ttl> = (value, keyPath, report) => {
  const { leastS, mostS } = honourTheApp;
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'boolean') {
      const hint = "write '1m', say; to keep nothing, write false for the whole path";
      report({ keyPath, what: `is ${value}; it should be a time`, hint });
      return undefined;
    }
    const otherwiseS = seconds(value, keyPath, report);
    return otherwiseS === undefined ? undefined : { leastS, otherwiseS, mostS };
  }
  const keys = ttlKeys(value, keyPath, report);
  if (!keys) return undefined;
  const read = {
    leastS: keys.min ?? leastS,
    otherwiseS: keys.default ?? null,
    mostS: keys.max ?? mostS,
  };
  const crossed = crossedTimes(read);
  if (crossed === null) return read;
  const [lower, higher] = crossed;
  const what = `is ${shown(lower.s)}, more than ${higher.key}, which is ${shown(higher.s)}`;
  const hint = `lower ${lower.key} or raise ${higher.key}`;
  report({ keyPath: `${keyPath}.${lower.key}`, what, hint });
  return undefined;
};

interface NamedTime {
  key: 'min' | 'default' | 'max';
  s: number;
}

/** The first two that are in the wrong order. */
function crossedTimes({ leastS, otherwiseS, mostS }: Ttl): [NamedTime, NamedTime] | null {
  const times: NamedTime[] = [{ key: 'min', s: leastS }];
  if (otherwiseS !== null) times.push({ key: 'default', s: otherwiseS });
  times.push({ key: 'max', s: mostS });
  for (const [index, lower] of times.entries()) {
    const higher = times[index + 1];
    if (higher && lower.s > higher.s) return [lower, higher];
  }
  return null;
}

const shown = (s: number): string => formatDuration(s * 1_000);

const ruleKeys = section({
  ttl,
  key: section({ query: parameterNames, headers: fieldNames, cookies: cookieNames }),
  stale: section({ whileRevalidate: orNot(0), ifError: orNot(0) }),
  errors: orNot(null),
  heuristics: leaf((value) => {
    if (typeof value === 'boolean') return value;
    throw unlike('true or false', value, 'true, or leave it out');
  }),
  tags: tagNames,
});

const rule: Reader<WrittenRule> = (value, keyPath, report) => {
  if (typeof value === 'boolean') return value ? honourTheApp : bypass;
  if (typeof value !== 'object' || value === null) {
    const otherwiseS = seconds(value, keyPath, report);
    return otherwiseS === undefined ? undefined : { ...honourTheApp, otherwiseS };
  }
  const keys = ruleKeys(value, keyPath, report);
  if (!keys) return undefined;
  const { key, stale } = keys;
  const defaults = honourTheApp;
  return {
    ...defaults,
    ...keys.ttl,
    heuristics: keys.heuristics ?? defaults.heuristics,
    errorS: keys.errors ?? defaults.errorS,
    staleWhileRevalidateS: stale?.whileRevalidate ?? defaults.staleWhileRevalidateS,
    staleIfErrorS: stale?.ifError ?? defaults.staleIfErrorS,
    query: key?.query ?? defaults.query,
    headers: key?.headers ?? defaults.headers,
    cookies: key?.cookies ?? defaults.cookies,
    tags: keys.tags ?? defaults.tags,
  };
};

const rules = rulesByPath(rule, {
  tooMany: "put together what is kept alike: '/assets/*'",
  query: 'which parameters count is said under key.query',
});

/** On or off, or rules by path. */
export const cacheReader: Reader<WrittenCache> = (value, keyPath, report) => {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const meant = typeof value === 'string' ? describe(value) : "'1d'";
    const hint = `write { '/*': ${meant} }, say, or true for what the app allows`;
    report({ keyPath, what: `is ${describe(value)}; it should say for which paths`, hint });
    return undefined;
  }
  return rules(value, keyPath, report);
};
