import type { CachePolicy } from '../model/cache.ts';
import { mergeByPath } from './path-rules.ts';
import type { Choose, Provenance, SourceLayer } from './resolve.ts';

/** Puts together what the places that have a say write of the cache. */

const KEY_PATH = 'edge.cache';
const ON_DEPLOY = 'edge.cacheOnDeploy';

/** @param layers the nearest first */
export function chooseCache(
  layers: readonly SourceLayer[],
  choose: Choose,
  provenance: Record<string, Provenance>,
): CachePolicy | null {
  const onDeploy = choose(ON_DEPLOY, (spec) => spec.edge?.cacheOnDeploy, 'switch');
  const rules = mergeByPath(layers, KEY_PATH, ({ cache }) => cache, provenance);
  if (rules === null) return null;
  return { rules: [...rules].map(([path, rule]) => ({ path, ...rule })), onDeploy };
}

/** What a deployment does to what is kept, and nothing says that anything is. */
export const isOnDeployAlone = (provenance: Record<string, Provenance>): boolean =>
  provenance[ON_DEPLOY] !== 'default' && provenance[KEY_PATH] === 'default';
