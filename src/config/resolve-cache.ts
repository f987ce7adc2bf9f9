import type { CachePolicy } from '../model/cache.ts';
import { mergeByPath } from './path-rules.ts';
import type { Choose, Provenance, SourceLayer } from './resolve.ts';

/** Puts together what the places that have a say write of the cache. */

const KEY_PATH = 'edge.cache';
const ON_DEPLOY = 'edge.cacheOnDeploy';
const COMPRESS = 'edge.compress';

/** @param layers the nearest first */
export function chooseCache(
  layers: readonly SourceLayer[],
  choose: Choose,
  provenance: Record<string, Provenance>,
): CachePolicy | null {
  const onDeploy = choose(ON_DEPLOY, (spec) => spec.edge?.cacheOnDeploy, 'switch');
  const compress = choose(COMPRESS, (spec) => spec.edge?.compress, false);
  const rules = mergeByPath(layers, KEY_PATH, ({ cache }) => cache, provenance);
  if (rules === null) return null;
  return {
    rules: [...rules].map(([path, rule]) => ({ path, ...rule })),
    onDeploy,
    ...(compress && { compress }),
  };
}

/** What is said of what is kept, and nothing says that anything is: the key, or null. */
export function keyWithoutCache(
  provenance: Record<string, Provenance>,
): 'cacheOnDeploy' | 'compress' | null {
  if (provenance[KEY_PATH] !== 'default') return null;
  if (provenance[ON_DEPLOY] !== 'default') return 'cacheOnDeploy';
  return provenance[COMPRESS] === 'default' ? null : 'compress';
}
