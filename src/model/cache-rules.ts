import type { CacheRule } from './cache.ts';
import { type PathPattern, pathPattern } from './path-pattern.ts';
import { decoded, fold, isUnambiguous, readingsOf } from './path-readings.ts';

/**
 * Finds the rule of a path: the first that matches it as it is written. Where that keeps something, and
 * an app may take the path for one of which nothing is to be kept, it is that one's: `/Admin` and
 * `/%61dmin` are no way around `/admin`.
 */
export class CacheRules {
  private readonly rules: readonly CacheRule[];
  private readonly asWritten: readonly PathPattern[];
  private readonly ofDecoded: readonly PathPattern[];
  private readonly ofFolded: readonly PathPattern[];
  private readonly bypasses: boolean;

  constructor(rules: readonly CacheRule[]) {
    this.rules = rules;
    this.asWritten = rules.map(({ path }) => pathPattern(path));
    this.ofDecoded = rules.map(({ path }) => pathPattern(decoded(path)));
    this.ofFolded = rules.map(({ path }) => pathPattern(fold(decoded(path))));
    this.bypasses = rules.some(({ bypass }) => bypass);
  }

  /** @returns its place among the rules; -1 for none */
  find(path: string): number {
    const found = first(this.asWritten, path);
    if (!this.bypasses || isUnambiguous(path) || this.rules[found]?.bypass) return found;
    const { cased, folded } = readingsOf(path);
    const others = [
      ...cased.map((reading) => first(this.ofDecoded, reading)),
      ...folded.map((reading) => first(this.ofFolded, reading)),
    ];
    return others.find((each) => this.rules[each]?.bypass) ?? found;
  }
}

/** Without a closure: every request comes here. */
function first(patterns: readonly PathPattern[], path: string): number {
  for (let i = 0; i < patterns.length; i += 1) if (patterns[i]?.(path)) return i;
  return -1;
}
