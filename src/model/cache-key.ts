import { type CacheRule, HONOUR_THE_APP, type Names } from './cache.ts';
import { CacheRules } from './cache-rules.ts';

/**
 * What tells kept answers apart. What is no part of a key does not reach the app either: an input
 * that changes the answer and not the key is how caches are poisoned.
 */

/** That of the path, or what holds where there is none. */
export const ruleFor = (rules: readonly CacheRule[], path: string): CacheRule =>
  rules[new CacheRules(rules).find(path)] ?? HONOUR_THE_APP;

/** The path of a target, without its query. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

/**
 * The target as it is asked for and kept under: the parameters that count, in their order and as
 * they were written.
 */
export function keyedTarget({ query }: Pick<CacheRule, 'query'>, target: string): string {
  if (query.mode === 'except' && query.names.length === 0) return target;
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const kept = target
    .slice(mark + 1)
    .split('&')
    .filter((parameter) => counts(query, parameterName(parameter)))
    .join('&');
  const path = target.slice(0, mark);
  return kept === '' ? path : `${path}?${kept}`;
}

function counts({ mode, names }: Names, name: string): boolean {
  const isNamed = names.some((each) =>
    each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each,
  );
  return isNamed === (mode === 'only');
}

/** As apps read it: `%70age` is `page`. What cannot be decoded stands for itself. */
function parameterName(parameter: string): string {
  const equals = parameter.indexOf('=');
  const name = (equals === -1 ? parameter : parameter.slice(0, equals)).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The value of each cookie that counts, in the order of the names; empty where none is there. */
export function keyedCookies(names: readonly string[], cookies: string): string {
  const values = new Map<string, string>();
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals)).trim();
    // The first of two is what most apps read.
    if (equals > 0 && !values.has(name)) values.set(name, pair.slice(equals + 1).trim());
  }
  return names
    .filter((name) => values.has(name))
    .map((name) => `${name}=${values.get(name)}`)
    .join('; ');
}
