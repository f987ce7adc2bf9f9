import type { CachePolicy } from '../model/cache.ts';
import type { WrittenRule } from './cache-readers.ts';
import type { Choose, Provenance, SourceLayer } from './resolve.ts';

/** Puts together what the places that have a say write of the cache. */

const KEY_PATH = 'edge.cache';
const ON_DEPLOY = 'edge.cacheOnDeploy';

/**
 * Rules are merged path by path. A nearer place's rule for a path that is there already stands in its
 * place; others stand before all that are there, because the first that matches counts. `true` and
 * `false` there put all of them aside.
 *
 * @param layers the nearest first
 */
export function chooseCache(
  layers: readonly SourceLayer[],
  choose: Choose,
  provenance: Record<string, Provenance>,
): CachePolicy | null {
  const onDeploy = choose(ON_DEPLOY, (spec) => spec.edge?.cacheOnDeploy, 'switch');
  let rules: ReadonlyMap<string, WrittenRule> | null = null;
  provenance[KEY_PATH] = 'default';
  for (const { spec, provenance: source } of [...layers].reverse()) {
    const written = spec.edge?.cache;
    if (written === undefined) continue;
    provenance[KEY_PATH] = source;
    if (typeof written === 'boolean') {
      rules = written ? new Map() : null;
      continue;
    }
    const own = Object.entries(written);
    const old: ReadonlyMap<string, WrittenRule> = rules ?? new Map();
    const others = own.filter(([path]) => !old.has(path));
    rules = new Map([...others, ...old, ...own]);
    for (const [path] of own) provenance[`${KEY_PATH}.${path}`] = source;
  }
  if (rules === null) return null;
  return { rules: [...rules].map(([path, rule]) => ({ path, ...rule })), onDeploy };
}

/** What a deployment does to what is kept, and nothing says that anything is. */
export const isOnDeployAlone = (provenance: Record<string, Provenance>): boolean =>
  provenance[ON_DEPLOY] !== 'default' && provenance[KEY_PATH] === 'default';
