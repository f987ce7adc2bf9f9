import { formatDuration } from '../config/duration.ts';
import { type CachePolicy, type CacheRule, HONOUR_THE_APP, type Names } from '../model/cache.ts';
import { code } from './code.ts';

/** What a configuration says of the cache, as its user would write it. */
export function cacheSettings(cache: CachePolicy | null): [string, string][] {
  if (cache === null) return [['edge.cache', 'false']];
  const { rules, onDeploy, compress = false } = cache;
  return [
    // In the order in which they count.
    ['edge.cache', rules.length === 0 ? 'true' : rules.map(({ path }) => path).join(', ')],
    ...rules.map((rule): [string, string] => [`edge.cache.${rule.path}`, ruleCode(rule)]),
    ['edge.cacheOnDeploy', onDeploy],
    ['edge.compress', String(compress)],
  ];
}

/** What is as it is without being said is left out. */
function ruleCode(rule: CacheRule): string {
  if (rule.bypass) return 'false';
  const ttl = ttlKeys(rule);
  const key = {
    query: queryKey(rule.query),
    headers: listKey(rule.headers),
    cookies: listKey(rule.cookies),
  };
  const stale = {
    whileRevalidate: changed(rule, 'staleWhileRevalidateS'),
    ifError: changed(rule, 'staleIfErrorS'),
  };
  const rest = {
    key: isSaid(key) ? key : null,
    stale: isSaid(stale) ? stale : null,
    errors: rule.errorS === null ? null : seconds(rule.errorS),
    heuristics: rule.heuristics ? true : null,
    tags: listKey(rule.tags),
  };
  if (isSaid(rest)) return code({ ttl, ...rest });
  if (ttl === null) return 'true';
  return typeof ttl === 'string' ? ttl : code({ ttl });
}

/** A default alone is a time. */
function ttlKeys(rule: CacheRule): string | object | null {
  const min = changed(rule, 'leastS');
  const max = changed(rule, 'mostS');
  const otherwise = rule.otherwiseS === null ? null : seconds(rule.otherwiseS);
  return min === null && max === null ? otherwise : { min, default: otherwise, max };
}

type Time = 'leastS' | 'mostS' | 'staleWhileRevalidateS' | 'staleIfErrorS';

const changed = (rule: CacheRule, key: Time): string | null =>
  rule[key] === HONOUR_THE_APP[key] ? null : seconds(rule[key]);

function queryKey({ mode, names }: Names) {
  if (mode === 'except') return names.length === 0 ? null : { except: names };
  return names.length === 0 ? 'none' : names;
}

const listKey = (names: readonly string[]) => (names.length === 0 ? null : names);

const isSaid = (keys: object): boolean => Object.values(keys).some((value) => value !== null);

const seconds = (s: number): string => (s === 0 ? '0s' : formatDuration(s * 1_000));
