import { pathPattern } from '../model/path-pattern.ts';
import { type Reader, record, refusal } from './reader.ts';
import type { Provenance, SourceLayer } from './resolve.ts';
import type { Layer } from './schema.ts';

/** Rules by path, as several keys of `edge` have them: the first whose path matches counts. */

/** More than CloudFront's 75 behaviours; a request is compared with each. */
const MOST_RULES = 100;
const LONGEST_PATH = 1_000;

/** What to do about what is wrong, where it is another for each key. */
interface Hints {
  tooMany: string;
  /** Beside leaving it out. */
  query?: string;
}

export function rulesByPath<T>(
  readRule: Reader<T>,
  { tooMany, query }: Hints,
): Reader<Record<string, T>> {
  const rules = record((path) => checkPath(path, query), readRule);
  return (value, keyPath, report) => {
    const read = rules(value, keyPath, report);
    if (!read) return undefined;
    const paths = Object.keys(Object(value));
    if (paths.length > MOST_RULES) {
      const what = `has ${paths.length} paths; the most is ${MOST_RULES}`;
      report({ keyPath, what, hint: tooMany });
    }
    for (const [index, path] of paths.slice(0, MOST_RULES).entries()) {
      const before = paths.slice(0, index).find((each) => isCovered(path, each));
      if (before === undefined) continue;
      const what = `never counts: '${before}' stands before it and matches all its paths`;
      report({ keyPath: `${keyPath}.${path}`, what, hint: `write it before '${before}'` });
    }
    return read;
  };
}

/**
 * Merges the rules of all places path by path. A nearer place's rule for a path that is there already
 * stands in its place; others stand before all that are there, because the first that matches counts.
 * `true` and `false` there put all of them aside.
 *
 * @param layers the nearest first
 * @returns null for off
 */
export function mergeByPath<T>(
  layers: readonly SourceLayer[],
  keyPath: string,
  read: (edge: NonNullable<Layer['edge']>) => boolean | Record<string, T> | undefined,
  provenance: Record<string, Provenance>,
): ReadonlyMap<string, T> | null {
  let rules: ReadonlyMap<string, T> | null = null;
  provenance[keyPath] = 'default';
  for (const { spec, provenance: source } of [...layers].reverse()) {
    const written = spec.edge && read(spec.edge);
    if (written === undefined) continue;
    provenance[keyPath] = source;
    if (typeof written === 'boolean') {
      rules = written ? new Map() : null;
      continue;
    }
    const own = Object.entries(written);
    const old: ReadonlyMap<string, T> = rules ?? new Map();
    const others = own.filter(([path]) => !old.has(path));
    rules = new Map([...others, ...old, ...own]);
    for (const [path] of own) provenance[`${keyPath}.${path}`] = source;
  }
  return rules;
}

/** A star of the one is a character that only a star of the other stands for. */
const isCovered = (path: string, before: string): boolean => pathPattern(before)(path);

function checkPath(path: string, aboutQueries?: string): void {
  if (!path.startsWith('/')) {
    const meant = path.startsWith('*') ? `'/${path}'` : `'/${path.replace(/^[./]+/, '')}'`;
    throw refusal("is no path: it does not begin with '/'", `write ${meant}`);
  }
  const [before = '', mark] = path.split(/([?#])/, 2);
  if (mark === '?') {
    const hint = [`write '${before}'`, ...(aboutQueries === undefined ? [] : [aboutQueries])];
    throw refusal('has a query, and rules are found by the path alone', hint.join('; '));
  }
  if (mark === '#') {
    throw refusal("has a '#', and what is behind it is never sent", `write '${before}'`);
  }
  if (!/^[!-~]+$/.test(path)) {
    const hint = 'write what is not ASCII, and spaces, percent-encoded';
    throw refusal('is no path as a request would have it', hint);
  }
  if (path.length > LONGEST_PATH) {
    const hint = "write its beginning and '*'";
    throw refusal(`has ${path.length} characters; the most is ${LONGEST_PATH}`, hint);
  }
}
