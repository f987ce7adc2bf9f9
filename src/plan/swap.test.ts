import { describe, expect, it } from 'vitest';
import { NO_CACHE_PURGES } from '../model/cache-purges.ts';
import type { Environment, SwappedNames } from '../model/environment.ts';
import { planSwap, type SwapSide, swapProblem } from './swap.ts';

const side = (
  name: string,
  names: SwappedNames | null = null,
  fields: Partial<Environment> = {},
): SwapSide => ({
  environment: {
    key: `shop/${name}`,
    application: 'shop',
    name,
    status: 'ready',
    release: 1,
    capacity: { min: 1, desired: 1, max: 1 },
    names,
    createdAt: 0,
    terminatedAt: null,
    cachePurges: NO_CACHE_PURGES,
    ...fields,
  },
  domains: names?.domains ?? [`${name}.test`],
  serving: 1,
});

describe('a swap of names', () => {
  it('gives each what the other answers to', () => {
    expect(planSwap(side('blue'), side('green'))).toEqual([
      { of: 'shop/green', domains: ['green.test'] },
      { of: 'shop/blue', domains: ['blue.test'] },
    ]);
  });

  it('leaves nothing behind when swapped back', () => {
    const [toBlue, toGreen] = planSwap(side('blue'), side('green'));
    expect(planSwap(side('blue', toBlue), side('green', toGreen))).toEqual([null, null]);
  });

  it('brings names home over a third environment', () => {
    const [a, b] = planSwap(side('a'), side('b'));
    const [b2, c] = planSwap(side('b', b), side('c'));
    expect([b2?.of, c?.of]).toEqual(['shop/c', 'shop/a']);
    const [a2, c2] = planSwap(side('a', a), side('c', c));
    expect(a2).toBeNull();
    expect(planSwap(side('b', b2), side('c', c2))).toEqual([null, null]);
  });

  it('needs both to be ready, with somebody who answers', () => {
    expect(swapProblem(side('blue'))).toBeNull();
    expect(swapProblem(side('blue', null, { status: 'updating' }))).toBe(
      'shop/blue is updating, not ready',
    );
    expect(swapProblem({ ...side('blue'), serving: 0 })).toBe(
      'shop/blue has no healthy instance that could answer',
    );
  });
});
