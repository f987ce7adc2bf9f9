import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crashesAtBoot,
  good,
  SimulatedEnvironment,
} from '../../test/support/simulated-environment.ts';
import type { Group } from '../model/group.ts';
import type { InstanceWish } from '../model/instance.ts';
import { diagnose } from './health.ts';

function running(desired: number, group: Partial<Group> = {}) {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good, {}, group);
  environment.deploy(1);
  environment.runUntilVerdict();
  environment.run(500);
  environment.history.length = 0;
  environment.fewestServing = Number.POSITIVE_INFINITY;
  return environment;
}

const standby: InstanceWish = { kind: 'standby', lowersDesired: false };

const idsIn = (environment: SimulatedEnvironment, state: string) =>
  environment
    .live()
    .filter((each) => each.state === state)
    .map(({ id }) => id);

const kindsOf = (environment: SimulatedEnvironment) =>
  environment.history.map(({ step }) => step.kind);

function first(environment: SimulatedEnvironment): string {
  const [id] = idsIn(environment, 'in-service');
  if (id === undefined) throw new Error('nothing serves');
  return id;
}

describe('a protected instance', () => {
  it('is passed over when capacity shrinks', () => {
    const environment = running(3);
    const oldest = first(environment);
    environment.ask(oldest, { isProtected: true });
    environment.scale(1);
    environment.run(1_000);
    expect(idsIn(environment, 'in-service')).toEqual([oldest]);
  });

  it('stays when all are, until one is released, and status says so', () => {
    const environment = running(3);
    for (const { id } of environment.live()) environment.ask(id, { isProtected: true });
    environment.scale(1);
    environment.run(5_000);
    expect(environment.history).toEqual([]);
    expect(diagnose(environment.observe(), null, environment.now)).toEqual({
      health: 'info',
      cause: '3 instances in service, 1 desired: all are protected from scale-in',
    });
    const released = first(environment);
    environment.ask(released, { isProtected: false });
    environment.run(1_000);
    expect(idsIn(environment, 'in-service')).toHaveLength(2);
    expect(idsIn(environment, 'in-service')).not.toContain(released);
  });

  it('is replaced when it is sick, by a deployment, and when somebody asks', () => {
    const environment = running(2);
    const sick = first(environment);
    environment.ask(sick, { isProtected: true });
    environment.sicken(sick);
    environment.run(17_000);
    expect(idsIn(environment, 'in-service')).not.toContain(sick);
    const asked = first(environment);
    environment.ask(asked, { isProtected: true, wish: { kind: 'replace' } });
    environment.run(2_000);
    expect(idsIn(environment, 'in-service')).not.toContain(asked);
    for (const { id } of environment.live()) environment.ask(id, { isProtected: true });
    environment.addRelease(2, good);
    environment.deploy(2);
    expect(environment.runUntilVerdict().state).toBe('succeeded');
    expect(environment.live().every(({ release }) => release === 2)).toBe(true);
  });
});

describe('an instance that is to be replaced', () => {
  it('goes once another serves in its place', () => {
    const environment = running(2);
    const id = first(environment);
    environment.ask(id, { wish: { kind: 'replace' } });
    environment.run(2_000);
    expect(kindsOf(environment)).toEqual(['launch', 'admit', 'retire', 'terminate', 'bury']);
    expect(environment.fewestServing).toBe(2);
    expect(environment.plan().steps).toEqual([]);
  });

  it('is the only one, and still another comes first', () => {
    const environment = running(1);
    environment.addRelease(1, good, { extra: 0 });
    environment.ask(first(environment), { wish: { kind: 'replace' } });
    environment.run(2_000);
    expect(environment.fewestServing).toBe(1);
    expect(environment.live()).toHaveLength(1);
  });

  it('serves on while no other comes up, with the cause in the status', () => {
    const environment = running(2);
    const id = first(environment);
    environment.ask(id, { wish: { kind: 'replace' } });
    environment.run(10_000, () => {
      for (const each of environment.live())
        if (each.state === 'pending') environment.kill(each.id);
      return false;
    });
    expect(idsIn(environment, 'in-service')).toHaveLength(2);
    expect(environment.fewestServing).toBe(2);
    const launches = environment.history.filter(({ step }) => step.kind === 'launch');
    const gaps = launches.slice(1).map(({ at }, index) => at - (launches[index]?.at ?? 0));
    expect(gaps.slice(1)).toEqual([...gaps.slice(1)].sort((a, b) => a - b));
    const { health, cause } = diagnose(environment.observe(), null, environment.now);
    expect(health).toBe('warning');
    expect(cause).toMatch(
      new RegExp(
        `^${id} cannot be replaced: release 1 is crash-looping: \\d+ instances ended young`,
      ),
    );
  });

  it('does not come back into service while it drains', () => {
    const environment = running(2);
    const id = first(environment);
    environment.addRelease(1, { ...good, drainTakesMs: 20_000 });
    environment.ask(id, { wish: { kind: 'replace' } });
    environment.run(2_000);
    expect(idsIn(environment, 'draining')).toEqual([id]);
    environment.scale(3);
    environment.run(2_000);
    expect(idsIn(environment, 'draining')).toEqual([id]);
    expect(idsIn(environment, 'in-service')).toHaveLength(3);
  });
});

describe('an instance that goes on standby', () => {
  it('leaves at once where desired goes down with it, and is kept', () => {
    const environment = running(3);
    const id = first(environment);
    environment.ask(id, { wish: { kind: 'standby', lowersDesired: true } });
    environment.scale(2);
    environment.run(1_000);
    expect(kindsOf(environment)).toEqual(['retire', 'hold']);
    environment.run(5_000);
    expect(environment.history).toHaveLength(2);
    expect(idsIn(environment, 'standby')).toEqual([id]);
    expect(environment.plan()).toEqual({ steps: [], wakeAt: null });
  });

  it('leaves once another serves where desired stays', () => {
    const environment = running(2);
    const id = first(environment);
    environment.ask(id, { wish: standby });
    environment.run(2_000);
    expect(kindsOf(environment)).toEqual(['launch', 'admit', 'retire', 'hold']);
    expect(environment.fewestServing).toBe(2);
    expect(idsIn(environment, 'standby')).toEqual([id]);
  });

  it('is not replaced for its health, nor counted, nor brought back when capacity is short', () => {
    const environment = running(3);
    const id = first(environment);
    environment.ask(id, { wish: standby });
    environment.run(2_000);
    environment.sicken(id);
    const [other = ''] = idsIn(environment, 'in-service');
    environment.kill(other);
    environment.scale(5);
    environment.run(17_000);
    expect(idsIn(environment, 'standby')).toEqual([id]);
    expect(idsIn(environment, 'in-service')).toHaveLength(5);
  });

  it('comes back when it is asked, and stays where desired goes up with it', () => {
    const environment = running(2);
    const id = first(environment);
    environment.ask(id, { wish: standby });
    environment.run(2_000);
    environment.ask(id, { wish: { kind: 'resume' } });
    environment.scale(3);
    environment.run(2_000);
    expect(idsIn(environment, 'in-service')).toHaveLength(3);
    expect(environment.live().find((each) => each.id === id)?.wish).toBeUndefined();
    expect(environment.plan().steps).toEqual([]);
  });

  it.each(['succeeded', 'rolled-back'])(
    'is left where it is by a deployment that has %s',
    (state) => {
      const environment = running(2);
      const id = first(environment);
      environment.ask(id, { wish: standby });
      environment.run(2_000);
      environment.addRelease(2, state === 'succeeded' ? good : crashesAtBoot, { keepMs: 2_000 });
      environment.deploy(2);
      expect(environment.runUntilVerdict().state).toBe(state);
      environment.run(10_000);
      expect(idsIn(environment, 'standby')).toEqual([id]);
      expect(idsIn(environment, 'in-service')).toHaveLength(2);
    },
  );

  it('ends with the environment', () => {
    const environment = running(2);
    environment.ask(first(environment), { wish: standby });
    environment.run(2_000);
    environment.environment = { ...environment.environment, status: 'terminating' };
    environment.run(10_000);
    expect(environment.environment.status).toBe('terminated');
  });

  it('is stopped at once when it is to be replaced', () => {
    const environment = running(2);
    const id = first(environment);
    environment.ask(id, { wish: standby });
    environment.run(2_000);
    environment.history.length = 0;
    environment.ask(id, { wish: { kind: 'replace' } });
    environment.run(1_000);
    expect(kindsOf(environment)).toEqual(['terminate', 'bury']);
    expect(environment.live()).toHaveLength(2);
  });
});

describe('whatever is asked of instances', () => {
  it('ends as it was asked, at rest, and never with fewer serving than were desired', () => {
    const asked = fc.constantFrom<InstanceWish | 'protect'>(
      ...[standby, { kind: 'replace' } as const, 'protect' as const],
    );
    const wishes = fc.array(fc.tuple(fc.nat(20), asked), { maxLength: 6 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), wishes, fc.nat(5), (size, asks, desired) => {
        const environment = running(size);
        const low = Math.min(size, desired);
        const aside = new Set<string>();
        for (const [turn, ask] of asks) {
          const serving = idsIn(environment, 'in-service');
          const id = serving[turn % serving.length];
          if (id === undefined) continue;
          const wish = ask === 'protect' ? { isProtected: true } : { wish: ask };
          environment.ask(id, wish);
          if (wish.wish === standby) aside.add(id);
          else if (ask !== 'protect') aside.delete(id);
          environment.run(turn * 10);
        }
        environment.run(4_000);
        expect(environment.fewestServing).toBeGreaterThanOrEqual(size);
        expect(idsIn(environment, 'in-service')).toHaveLength(size);
        expect(idsIn(environment, 'standby').sort()).toEqual([...aside].sort());
        environment.scale(low);
        environment.run(2_000);
        const isProtected = environment
          .live()
          .filter((each) => each.state === 'in-service' && each.isProtected);
        const expected = Math.max(low, isProtected.length);
        expect(idsIn(environment, 'in-service')).toHaveLength(expected);
        expect(environment.plan()).toEqual({ steps: [], wakeAt: null });
      }),
      { numRuns: 20 },
    );
  });
});
