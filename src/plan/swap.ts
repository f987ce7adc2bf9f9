import type { Environment, SwappedNames } from '../model/environment.ts';

/** Which names go where when two environments swap theirs: pure. */

export interface SwapSide {
  environment: Environment;
  /** What it answers to now. */
  domains: readonly string[];
  /** Instances, or a fixed address, that take requests and are healthy. */
  serving: number;
}

export type Swap = readonly [SwappedNames | null, SwappedNames | null];

/**
 * What each of the two answers to afterwards, in their order. Names that come home are the release's
 * again, so that swapping back leaves nothing behind, over however many environments they went.
 */
export function planSwap(a: SwapSide, b: SwapSide): Swap {
  return [givenTo(a, namesOf(b)), givenTo(b, namesOf(a))];
}

/** Why names may not be swapped to or from this environment now; null when they may. */
export function swapProblem({ environment, serving }: SwapSide): string | null {
  const { key, status } = environment;
  if (status !== 'ready') return `${key} is ${status}, not ready`;
  if (serving === 0) return `${key} has no healthy instance that could answer`;
  return null;
}

const namesOf = ({ environment, domains }: SwapSide): SwappedNames =>
  environment.names ?? { of: environment.key, domains };

const givenTo = ({ environment }: SwapSide, names: SwappedNames): SwappedNames | null =>
  names.of === environment.key ? null : names;
