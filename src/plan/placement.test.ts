import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TerminationCriterion } from '../model/group.ts';
import { chooseRetiring, zoneForLaunch } from './placement.ts';

/** `a1@5`: of zone a, release 1, made at 5; its id is all of it. */
function placed(text: string) {
  const [, zone = '', release, createdAt] = /^([a-z]+)(\d+)@(\d+)$/.exec(text) ?? [];
  return { id: text, zone, release: Number(release), createdAt: Number(createdAt) };
}

const chosen = (
  fleet: string,
  count: number,
  terminate: TerminationCriterion[],
  zones = ['a', 'b'],
) =>
  chooseRetiring(fleet.split(' ').map(placed), count, { zones, terminate })
    .map(({ id }) => id)
    .join(' ');

describe('the next launch', () => {
  it.each([
    ['', 'a'],
    ['a1@1', 'b'],
    ['a1@1 b1@2', 'a'],
    ['b1@1 b1@2 a1@3', 'a'],
    ['c1@1 c1@2 a1@1', 'b'],
  ])('beside %j goes to zone %s', (fleet, zone) => {
    const live = fleet === '' ? [] : fleet.split(' ').map(placed);
    expect(zoneForLaunch(['a', 'b'], live)).toBe(zone);
  });
});

describe('who goes first', () => {
  it.each<[string, number, TerminationCriterion[], string]>([
    ['a1@1 b1@2 a1@3', 1, ['zone', 'oldest-version', 'oldest'], 'a1@1'],
    ['b1@1 a1@2 a1@3', 1, ['zone', 'oldest-version', 'oldest'], 'a1@2'],
    ['b1@1 a1@2 a1@3', 1, ['zone', 'newest'], 'a1@3'],
    ['b1@1 a1@2 a1@3', 1, ['oldest'], 'b1@1'],
    ['b1@1 a1@2 a1@3', 1, ['newest'], 'a1@3'],
    ['b1@1 a2@2 a1@3', 1, ['zone', 'oldest-version', 'oldest'], 'a1@3'],
    ['b1@1 a2@2 a1@3', 1, ['oldest-version', 'zone'], 'a1@3'],
    ['b1@1 a1@2 a1@3', 2, ['zone', 'newest'], 'a1@3 a1@2'],
    ['a1@1 a1@2 a1@3 b1@4', 3, ['zone', 'oldest'], 'a1@1 a1@2 a1@3'],
    ['a1@1 a1@2 c1@9', 1, ['zone', 'oldest'], 'c1@9'],
    ['a1@1 a1@2 c1@9', 1, ['oldest'], 'a1@1'],
    ['a1@2 a1@1', 1, ['zone'], 'a1@1'],
    ['a1@1', 5, ['zone'], 'a1@1'],
  ])('of %s, %i by %j: %s', (fleet, count, terminate, expected) => {
    expect(chosen(fleet, count, terminate)).toBe(expected);
  });

  it('counts zones over all, also where some may not go', () => {
    const candidates = ['a1@5', 'b1@1'].map(placed);
    const peers = ['a1@5', 'b1@1', 'a1@2', 'a1@3'].map(placed);
    const preference = { zones: ['a', 'b'], terminate: ['zone', 'oldest'] as const };
    expect(chooseRetiring(candidates, 1, preference, peers)).toEqual([candidates[0]]);
  });

  it('is as many as asked for, and the same whatever the order', () => {
    const instance = fc.record({
      zone: fc.constantFrom('a', 'b', 'c', 'gone'),
      release: fc.integer({ min: 1, max: 3 }),
      createdAt: fc.integer({ min: 0, max: 5 }),
    });
    const criteria = fc.uniqueArray(
      fc.constantFrom<TerminationCriterion>('zone', 'oldest-version', 'oldest', 'newest'),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(
        ...([fc.array(instance, { maxLength: 12 }), criteria, fc.nat(12), fc.nat()] as const),
        (made, terminate, count, turn) => {
          const fleet = made.map((each, index) => ({ ...each, id: `i-${index}` }));
          const preference = { zones: ['a', 'b', 'c'], terminate };
          const first = chooseRetiring(fleet, count, preference);
          const at = fleet.length === 0 ? 0 : turn % fleet.length;
          const turned = [...fleet.slice(at), ...fleet.slice(0, at)];
          expect(chooseRetiring(turned, count, preference)).toEqual(first);
          expect(new Set(first).size).toBe(Math.min(count, fleet.length));
        },
      ),
    );
  });

  it('leaves zones in balance that were, where the zone comes first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.nat(30), (size, count) => {
        const zones = ['a', 'b', 'c'];
        const fleet = Array.from({ length: size }, (_, index) => ({
          ...{ id: `i-${index}`, release: 1, createdAt: index },
          zone: zones[index % 3] ?? 'a',
        }));
        const gone = chooseRetiring(fleet, count, { zones, terminate: ['zone', 'newest'] });
        const left = fleet.filter((each) => !gone.includes(each));
        const counts = zones.map((zone) => left.filter((each) => each.zone === zone).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
