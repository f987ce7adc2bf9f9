import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { good, SimulatedEnvironment } from '../../test/support/simulated-environment.ts';
import type { Group } from '../model/group.ts';
import { imbalance } from './rebalance.ts';

const DRAINED_MS = 10_000;

function running(desired: number, group: Partial<Group> = {}, zones = ['a', 'b']) {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good, {}, group);
  environment.setZones(1, zones);
  environment.deploy(1);
  environment.runUntilVerdict();
  // Whoever dies now has served for long: it is no crash loop.
  environment.run(11_000);
  environment.history.length = 0;
  return environment;
}

/** As many instances as letters, each in the zone of its own. */
function spreadOver(letters: readonly string[]) {
  const environment = running(0, { terminate: ['oldest'] });
  for (const [index, zone] of letters.entries()) {
    environment.setZones(1, [zone]);
    environment.scale(index + 1);
    environment.run(600);
  }
  environment.addRelease(1, good);
  environment.history.length = 0;
  return environment;
}

const inService = (environment: SimulatedEnvironment) =>
  environment.live().filter(({ state }) => state === 'in-service');

const zonesOf = (environment: SimulatedEnvironment) =>
  inService(environment)
    .map(({ zone }) => zone)
    .sort()
    .join('');

const stepsOf = (environment: SimulatedEnvironment, ...kinds: string[]) =>
  environment.history.map(({ step }) => step).filter(({ kind }) => kinds.includes(kind));

/** Takes away all of a zone at once, and brings back what is desired elsewhere. */
function loseZone(environment: SimulatedEnvironment, zone: string, all: string[]): void {
  environment.setZones(
    1,
    all.filter((each) => each !== zone),
  );
  for (const { id } of inService(environment).filter((each) => each.zone === zone)) {
    environment.kill(id);
  }
  environment.run(5_000);
  environment.setZones(1, all);
}

describe('zones out of balance', () => {
  it.each([
    ['aabb', null],
    ['aab', null],
    ['aaab', 1],
    ['aaaabb', 1],
    ['aaaaaa', 3],
    ['aabx', 1],
    ['xx', 2],
    ['', null],
  ])('%s want %s moves', (letters, moves) => {
    const instances = [...letters].map((zone) => ({ zone }));
    const preference = { zones: ['a', 'b'], terminate: ['zone', 'oldest'] as const };
    expect(imbalance(instances, preference)?.moves ?? null).toBe(moves);
  });

  it('stay so where what is too many is protected', () => {
    const instances = [...'aaa'].map((zone) => ({ zone, isProtected: true }));
    const preference = { zones: ['a', 'b'], terminate: ['zone'] as const };
    expect(imbalance(instances, preference)).toBeNull();
    expect(imbalance([...instances, { zone: 'a' }], preference)?.moves).toBe(1);
  });
});

describe('after a zone was lost', () => {
  it('launches where it was, and retires elsewhere once that serves', () => {
    const environment = running(4);
    loseZone(environment, 'b', ['a', 'b']);
    expect(zonesOf(environment)).toBe('aaaa');
    environment.fewestServing = Number.POSITIVE_INFINITY;
    environment.history.length = 0;
    environment.run(2 * DRAINED_MS);
    expect(zonesOf(environment)).toBe('aabb');
    expect(environment.fewestServing).toBe(4);
    const moves = stepsOf(environment, 'launch', 'admit', 'retire').map(({ kind }) => kind);
    expect(moves).toEqual(['launch', 'admit', 'retire', 'launch', 'admit', 'retire']);
    expect(stepsOf(environment, 'launch')[0]?.reason).toBe('zone a has 4 instances, zone b 0');
    expect(environment.plan().steps).toEqual([]);
  });

  it('never runs more than a tenth, or one, above what is desired', () => {
    const environment = running(30, {}, ['a', 'b', 'c']);
    loseZone(environment, 'c', ['a', 'b', 'c']);
    let most = 0;
    environment.run(5 * DRAINED_MS, () => {
      const up = environment.live().filter(({ state }) => /pending|in-service/.test(state));
      most = Math.max(most, up.length);
      return zonesOf(environment) === `${'a'.repeat(10)}${'b'.repeat(10)}${'c'.repeat(10)}`;
    });
    expect(most).toBe(33);
    expect(inService(environment)).toHaveLength(30);
  });

  it('retires what is left in a zone that is not configured any more', () => {
    const environment = running(3, {}, ['a', 'b', 'c']);
    environment.setZones(1, ['a', 'b']);
    environment.run(DRAINED_MS);
    expect(zonesOf(environment)).toMatch(/^(aab|abb)$/);
  });

  it('leaves it at that where the zone is not what counts', () => {
    const environment = running(4, { terminate: ['oldest', 'zone'] });
    loseZone(environment, 'b', ['a', 'b']);
    environment.history.length = 0;
    environment.run(DRAINED_MS);
    expect(environment.history).toEqual([]);
  });

  it('waits while something is deployed', () => {
    const environment = running(4);
    loseZone(environment, 'b', ['a', 'b']);
    environment.addRelease(2, { ...good, bootMs: 3_000 });
    environment.setZones(2, ['a']);
    environment.deploy(2);
    environment.runUntilVerdict();
    expect(stepsOf(environment, 'launch').filter((each) => /zone/.test(each.reason))).toEqual([]);
  });

  it('waits while a deployment is being prepared', () => {
    const environment = running(4);
    loseZone(environment, 'b', ['a', 'b']);
    environment.history.length = 0;
    environment.environment = { ...environment.environment, status: 'updating' };
    environment.run(2_000);
    expect(environment.history).toEqual([]);
    environment.environment = { ...environment.environment, status: 'ready' };
    environment.run(2_000);
    expect(zonesOf(environment)).toBe('aabb');
  });

  it('gives it up while what is launched does not come up', () => {
    const environment = running(4);
    loseZone(environment, 'b', ['a', 'b']);
    environment.addRelease(1, { ...good, endsAfterMs: null, bootMs: 100 });
    environment.history.length = 0;
    const dies = () => {
      for (const { id, state } of environment.live()) if (state === 'pending') environment.kill(id);
      return false;
    };
    environment.run(2 * DRAINED_MS, dies);
    expect(stepsOf(environment, 'launch')).toHaveLength(3);
    expect(inService(environment)).toHaveLength(4);
  });
});

describe('balancing', () => {
  it('ends in balance from any spread, with no move back and never fewer than desired', () => {
    const zones = ['a', 'b', 'c'];
    const spread = fc.array(fc.constantFrom(...zones, 'gone'), { minLength: 1, maxLength: 9 });
    const chances = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(spread, chances, (letters, isProtected) => {
        const environment = spreadOver(letters);
        expect(zonesOf(environment)).toBe([...letters].sort().join(''));
        const spreadNow = inService(environment);
        for (const [index, { id }] of spreadNow.entries()) {
          if (isProtected[index]) environment.ask(id, { isProtected: true });
        }
        environment.setZones(1, zones);
        environment.fewestServing = Number.POSITIVE_INFINITY;
        environment.run(letters.length * 1_000);
        const preference = { zones, terminate: ['zone'] as const };
        expect(imbalance(inService(environment), preference)).toBeNull();
        expect(environment.fewestServing).toBe(letters.length);
        // Every move ends one that was there before: none goes that was launched on the way.
        const retired = stepsOf(environment, 'retire').map(
          (step) => 'instance' in step && step.instance,
        );
        const launched = stepsOf(environment, 'launch');
        expect(retired.length).toBe(launched.length);
        for (const id of retired) expect(spreadNow.some((each) => each.id === id)).toBe(true);
        // Nothing is left to do, and no time will change that.
        environment.run(3_000);
        expect(environment.plan()).toEqual({ steps: [], wakeAt: null });
      }),
      { numRuns: 25 },
    );
  });
});
