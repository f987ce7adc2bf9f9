import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Behaviour,
  crashesAtBoot,
  good,
  SimulatedEnvironment,
} from '../../test/support/simulated-environment.ts';
import type { Group } from '../model/group.ts';
import type { Instance } from '../model/instance.ts';

const SLOW_BOOT: Behaviour = { ...good, bootMs: 3_000 };

/** Release 1 serves, and its pool is full. */
function running(
  desired: number,
  group: Partial<Group>,
  behaviour: Behaviour = SLOW_BOOT,
): SimulatedEnvironment {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, behaviour, {}, group);
  environment.deploy(1);
  expect(environment.runUntilVerdict().state).toBe('succeeded');
  environment.run(10_000);
  environment.fewestServing = Number.POSITIVE_INFINITY;
  return environment;
}

const inState = (environment: SimulatedEnvironment, state: Instance['state']): Instance[] =>
  environment.live().filter((instance) => instance.state === state);

const idsOf = (instances: readonly Instance[]) => instances.map(({ id }) => id);

/** How many are in service, and how many are kept warm, of each release. */
const shapeOf = (environment: SimulatedEnvironment) =>
  environment
    .live()
    .map(({ release, state }) => `${release} ${state}`)
    .sort();

describe('a warm pool', () => {
  it('is filled once what is desired serves, spread over the zones', () => {
    const environment = new SimulatedEnvironment(2);
    environment.addRelease(1, SLOW_BOOT, {}, { warm: 2 });
    environment.deploy(1);
    environment.runUntilVerdict();
    expect(inState(environment, 'warmed')).toEqual([]);
    environment.run(4_000);
    expect(inState(environment, 'warmed').map(({ zone }) => zone)).toEqual(['a', 'b']);
    expect(environment.serving()).toHaveLength(2);
    expect(environment.plan().steps).toEqual([]);
  });

  it('takes the place of one that dies without a boot, and fills again', () => {
    const environment = running(3, { warm: 1 });
    const [warm] = inState(environment, 'warmed');
    environment.kill(environment.serving()[0]?.id ?? '');
    environment.settle();
    expect(environment.serving()).toHaveLength(3);
    expect(idsOf(environment.serving())).toContain(warm?.id);
    environment.run(4_000);
    expect(inState(environment, 'warmed')).toHaveLength(1);
    expect(environment.serving()).toHaveLength(3);
  });

  it('comes into service first when more are desired, and what is missing boots', () => {
    const environment = running(2, { warm: 2 });
    environment.scale(5);
    environment.settle();
    expect(environment.serving()).toHaveLength(4);
    // What is needed comes before what may be needed.
    expect(inState(environment, 'pending')).toHaveLength(1);
    environment.run(7_000);
    expect(environment.serving()).toHaveLength(5);
    expect(inState(environment, 'warmed')).toHaveLength(2);
  });

  it('serves for one that dies while the pool is still starting', () => {
    const environment = running(2, { warm: 1 });
    environment.kill(environment.serving()[0]?.id ?? '');
    environment.run(1_000);
    const [starting] = inState(environment, 'pending');
    environment.kill(environment.serving()[0]?.id ?? '');
    environment.run(2_100);
    expect(idsOf(environment.serving())).toContain(starting?.id);
  });

  it('keeps those it has when fewer are desired: what has served goes', () => {
    const environment = running(4, { warm: 2 });
    const before = idsOf(inState(environment, 'warmed'));
    environment.scale(2);
    environment.run(2_000);
    expect(idsOf(inState(environment, 'warmed'))).toEqual(before);
    expect(environment.live()).toHaveLength(4);
  });

  it('brings back first what is still draining', () => {
    const environment = running(3, { warm: 1 });
    const warm = idsOf(inState(environment, 'warmed'));
    environment.scale(2);
    environment.settle();
    environment.scale(3);
    environment.settle();
    expect(environment.serving()).toHaveLength(3);
    expect(idsOf(inState(environment, 'warmed'))).toEqual(warm);
  });

  it('stands in for a zone that is gone, and is spread again when it is back', () => {
    const environment = running(4, { warm: 2 });
    for (const { id, zone } of environment.live()) if (zone === 'a') environment.kill(id);
    environment.settle();
    expect(environment.serving().map(({ zone }) => zone)).toEqual(['b', 'b', 'b']);
    environment.run(20_000);
    const zonesOf = (state: Instance['state']) =>
      inState(environment, state)
        .map(({ zone }) => zone)
        .sort();
    expect(zonesOf('in-service')).toEqual(['a', 'a', 'b', 'b']);
    expect(zonesOf('warmed')).toEqual(['a', 'b']);
    expect(environment.plan().steps).toEqual([]);
  });

  it('replaces one that dies', () => {
    const environment = running(2, { warm: 1 });
    const [warm] = inState(environment, 'warmed');
    environment.kill(warm?.id ?? '');
    environment.run(4_000);
    expect(inState(environment, 'warmed')).toHaveLength(1);
    expect(idsOf(environment.live())).not.toContain(warm?.id);
  });

  it('replaces one that is sick for long, and does not bring it into service meanwhile', () => {
    // All are well until their tenth second, and those that serve are not replaced for it.
    const turnsSick: Behaviour = { ...good, healthy: (ageMs) => ageMs < 10_000 };
    const environment = running(1, { warm: 1, replace: 'process' }, turnsSick);
    const [warm] = inState(environment, 'warmed');
    environment.run(1_000);
    environment.kill(inState(environment, 'in-service')[0]?.id ?? '');
    environment.settle();
    expect(idsOf(inState(environment, 'in-service'))).not.toContain(warm?.id);
    environment.run(16_000);
    expect(idsOf(environment.live())).not.toContain(warm?.id);
  });

  it('starts nothing while its release keeps dying young, but for one try at a time', () => {
    const environment = running(1, { warm: 3 }, { ...good, endsAfterMs: 2_000 });
    const before = environment.history.length;
    environment.run(120_000);
    const launches = environment.history.slice(before).filter(({ step }) => step.kind === 'launch');
    expect(launches.length).toBeLessThan(25);
  });

  it('does not hide a crash loop of what dies as soon as it serves', () => {
    const environment = running(1, { warm: 1 }, good);
    const before = environment.now;
    const serving: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      environment.run(60_000, () => environment.serving().length === 1);
      serving.push(environment.serving()[0]?.id ?? '');
      environment.run(100);
      environment.kill(serving.at(-1) ?? '');
    }
    expect(new Set(serving).size).toBe(12);
    // Those that are up already serve at once; what is started after them comes later and later.
    expect(environment.now - before).toBeGreaterThan(15_000);
  });

  it('is empty where nothing is to run', () => {
    const environment = running(1, { warm: 2, idleMs: 60_000 });
    environment.scale(0);
    environment.run(2_000);
    expect(environment.live()).toEqual([]);
  });

  it('ends with its environment', () => {
    const environment = running(2, { warm: 2 });
    environment.environment = { ...environment.environment, status: 'terminating' };
    environment.run(2_000);
    expect(environment.environment.status).toBe('terminated');
    expect(environment.live()).toEqual([]);
  });
});

describe('a deployment', () => {
  it('does not wait for the pool, which is renewed when it has settled', () => {
    const environment = running(2, { warm: 2 });
    environment.addRelease(2, SLOW_BOOT, {}, { warm: 1 });
    environment.deploy(2);
    environment.run(4_000);
    expect(environment.deployment?.state).toBe('running');
    expect(inState(environment, 'warmed').map(({ release }) => release)).toEqual([1, 1]);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(inState(environment, 'warmed')).toEqual([]);
    environment.run(4_000);
    expect(shapeOf(environment)).toEqual(['2 in-service', '2 in-service', '2 warmed']);
    expect(environment.fewestServing).toBe(2);
  });

  it('that turns back finds the pool as it left it', () => {
    const environment = running(2, { warm: 1 });
    const [warm] = inState(environment, 'warmed');
    environment.addRelease(2, crashesAtBoot, {}, { warm: 1 });
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('rolled-back');
    expect(idsOf(inState(environment, 'warmed'))).toEqual([warm?.id]);
  });

  it('that turns back goes back to warm ones first', () => {
    const environment = running(1, { warm: 1 });
    const [warm] = inState(environment, 'warmed');
    environment.addRelease(2, SLOW_BOOT);
    environment.deploy(2);
    environment.run(1_000);
    environment.abort();
    environment.kill(environment.serving()[0]?.id ?? '');
    environment.settle();
    expect(idsOf(environment.serving())).toEqual([warm?.id]);
  });

  it('stops what is still being warmed of the release before', () => {
    const environment = new SimulatedEnvironment(1);
    environment.addRelease(1, SLOW_BOOT, {}, { warm: 1 });
    environment.deploy(1);
    environment.runUntilVerdict();
    environment.run(1_000);
    environment.addRelease(2, good);
    environment.deploy(2);
    environment.settle();
    expect(shapeOf(environment)).toEqual(['1 in-service', '2 pending']);
  });
});

describe('whatever happens', () => {
  const scenario = fc.record({
    desired: fc.integer({ min: 0, max: 6 }),
    warm: fc.integer({ min: 0, max: 3 }),
    disturbances: fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 2_000 }),
        what: fc.constantFrom('kill', 'kill-warm', 'scale', 'deploy', 'abort'),
        pick: fc.nat(20),
      }),
      { maxLength: 6 },
    ),
  });
  type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

  function disturb(environment: SimulatedEnvironment, { warm, disturbances }: Scenario): void {
    for (const [index, { afterMs, what, pick }] of disturbances.entries()) {
      environment.run(afterMs);
      if (what === 'scale') environment.scale(pick % 7);
      else if (what === 'abort') environment.abort();
      else if (what === 'deploy') {
        if (environment.deployment !== null) continue;
        environment.addRelease(index + 2, good, {}, { warm });
        environment.deploy(index + 2);
      } else {
        const victims = inState(environment, what === 'kill' ? 'in-service' : 'warmed');
        environment.kill(victims[pick % victims.length]?.id ?? '');
      }
    }
  }

  it('what is desired serves at the end, and beside it what is to be warm', {
    timeout: 120_000,
  }, () => {
    const ends = (given: Scenario) => {
      const environment = new SimulatedEnvironment(given.desired);
      environment.addRelease(1, good, {}, { warm: given.warm });
      environment.deploy(1);
      environment.runUntilVerdict();
      disturb(environment, given);
      if (environment.deployment !== null) environment.runUntilVerdict();
      const { release, capacity } = environment.environment;
      const whole = [
        ...Array(capacity.desired).fill(`${release} in-service`),
        ...Array(given.warm).fill(`${release} warmed`),
      ];
      environment.run(90_000, () => shapeOf(environment).join() === whole.join());
      expect(shapeOf(environment)).toEqual(whole);
      expect(environment.plan().steps).toEqual([]);
    };
    fc.assert(fc.property(scenario, ends), { numRuns: process.env.BELAY_NIGHTLY ? 300 : 30 });
  });
});
