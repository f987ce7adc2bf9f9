import type { CacheRule } from '../model/cache.ts';
import { keyedCookies, keyedTarget, pathOf, ruleFor } from '../model/cache-key.ts';
import { pathPattern } from '../model/path-pattern.ts';
import type { CachedAddress } from './cached-address.ts';

/** Which rule counts, and what tells its answers apart. */
export interface KeyExplanation {
  rule: {
    /** From 1; null: none matches, and the app decides. */
    number: number | null;
    of: number;
    path: string;
    /** Those that match too, and come too late. */
    alsoMatching: string[];
    said: CacheRule;
  };
  key: {
    host: string;
    target: string;
    /** Parameters that do not count, and do not reach the app. */
    leftOut: string[];
    headers: string[];
    cookies: string[];
    /** Each version's answers are kept apart. */
    byVersion: boolean;
  };
}

/** The rule and the key of a request, by the edge's own functions. @param headers by lower-case name */
export function explainKey(
  { host, target, policy }: CachedAddress,
  headers: Readonly<Record<string, string>>,
): KeyExplanation {
  const path = pathOf(target);
  const { rules } = policy;
  const said = ruleFor(rules, path);
  const index = rules.indexOf(said);
  const others = rules.filter((rule) => rule !== said && pathPattern(rule.path)(path));
  const keyed = keyedTarget(said, target);
  const cookies = keyedCookies(said.cookies, headers.cookie ?? '');
  return {
    rule: {
      number: index === -1 ? null : index + 1,
      of: rules.length,
      path: said.path,
      alsoMatching: others.map((rule) => rule.path),
      said,
    },
    key: {
      host,
      target: keyed,
      leftOut: parametersOf(target).filter((each) => !parametersOf(keyed).includes(each)),
      headers: said.headers.map((name) => `${name}: ${headers[name] ?? ''}`),
      cookies: cookies === '' ? [] : cookies.split('; '),
      byVersion: policy.onDeploy === 'switch',
    },
  };
}

const parametersOf = (target: string): string[] =>
  target.includes('?') ? target.slice(target.indexOf('?') + 1).split('&') : [];
