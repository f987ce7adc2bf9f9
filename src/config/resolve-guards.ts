import type { Guard } from '../model/guard.ts';
import { mergeByPath } from './path-rules.ts';
import type { Provenance, SourceLayer } from './resolve.ts';

/** Puts together what the places that have a say write of the guards. */
export function chooseGuards(
  layers: readonly SourceLayer[],
  provenance: Record<string, Provenance>,
): Guard[] {
  const rules = mergeByPath(layers, 'edge.guard', ({ guard }) => guard, provenance);
  return [...(rules ?? [])].map(([path, guard]) => ({ path, ...guard }));
}
