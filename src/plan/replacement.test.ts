import { describe, expect, it } from 'vitest';
import { good, SimulatedEnvironment } from '../../test/support/simulated-environment.ts';
import type { Group } from '../model/group.ts';
import { diagnose } from './health.ts';

/** How long a check may fail before its instance is replaced. */
const FAILING_MS = 15_000;

function running(desired: number, group: Partial<Group>) {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good, {}, group);
  environment.deploy(1);
  environment.runUntilVerdict();
  environment.run(500);
  environment.history.length = 0;
  environment.fewestServing = Number.POSITIVE_INFINITY;
  return environment;
}

const serving = (environment: SimulatedEnvironment) =>
  environment
    .live()
    .filter(({ state }) => state === 'in-service')
    .map(({ id }) => id);

const retired = (environment: SimulatedEnvironment) =>
  environment.history.flatMap(({ at, step }) =>
    step.kind === 'retire' ? [{ at, instance: step.instance, reason: step.reason }] : [],
  );

describe('an instance that fails its health check', () => {
  it.each(['edge', 'deep'] as const)('is replaced where health is %s', (replace) => {
    const environment = running(2, { replace });
    const [sick = ''] = serving(environment);
    environment.sicken(sick);
    environment.run(FAILING_MS + 2_000);
    expect(serving(environment)).toHaveLength(2);
    expect(retired(environment)).toMatchObject([
      { instance: sick, reason: 'unhealthy: answered 500 to GET /' },
    ]);
  });

  it('does not come back while it drains, when more are wanted', () => {
    const environment = running(2, {});
    environment.addRelease(1, { ...good, drainTakesMs: 20_000 });
    const [sick = ''] = serving(environment);
    environment.sicken(sick);
    environment.run(FAILING_MS + 2_000, () => retired(environment).length > 0);
    environment.scale(4);
    environment.run(2_000);
    expect(serving(environment)).toHaveLength(4);
    expect(serving(environment)).not.toContain(sick);
  });

  it('is only left without traffic where health is process, and the status says so', () => {
    const environment = running(2, { replace: 'process' });
    const [sick = ''] = serving(environment);
    environment.sicken(sick);
    environment.run(2 * FAILING_MS);
    expect(environment.history).toEqual([]);
    expect(diagnose(environment.observe(), null, environment.now)).toMatchObject({
      health: 'warning',
      cause: `1 of 2 instances in service: ${sick} answered 500 to GET /`,
    });
  });

  it.each([
    ['at once', 0],
    ['amid its grace', 5_000],
  ])('%s is replaced no sooner than its grace allows', (_when, afterMs) => {
    const graceMs = 20_000;
    const environment = running(2, { graceMs });
    const [sick = ''] = serving(environment);
    const servesSince = environment.live().find(({ id }) => id === sick)?.since ?? 0;
    environment.run(afterMs);
    environment.sicken(sick);
    environment.run(servesSince + graceMs - environment.now - 20);
    expect(environment.history).toEqual([]);
    environment.run(2_000);
    expect(retired(environment)).toMatchObject([{ instance: sick }]);
  });

  it('has its grace again when it comes back from standby', () => {
    const environment = running(2, { graceMs: 20_000 });
    const [id = ''] = serving(environment);
    environment.ask(id, { wish: { kind: 'standby', lowersDesired: false } });
    environment.run(22_000);
    environment.sicken(id);
    environment.ask(id, { wish: { kind: 'resume' } });
    environment.scale(3);
    environment.run(19_000);
    expect(serving(environment)).toContain(id);
    environment.run(3_000);
    expect(serving(environment)).not.toContain(id);
  });

  it('is replaced within its grace when its process ends', () => {
    const environment = running(2, { graceMs: 60_000, replace: 'process' });
    const [dead = ''] = serving(environment);
    environment.kill(dead);
    environment.run(1_000);
    expect(serving(environment)).toHaveLength(2);
    expect(serving(environment)).not.toContain(dead);
  });
});

describe('an instance that fails its deep check', () => {
  it.each(['process', 'edge'] as const)('is not replaced where health is %s', (replace) => {
    const environment = running(3, { replace });
    environment.setDeep(serving(environment)[0] ?? '', false);
    environment.run(2 * FAILING_MS);
    expect(environment.history).toEqual([]);
  });

  it('is replaced while the others pass theirs, and serves until then', () => {
    const environment = running(3, { replace: 'deep' });
    const [sick = ''] = serving(environment);
    environment.setDeep(sick, false);
    environment.run(FAILING_MS - 20);
    expect(environment.history).toEqual([]);
    environment.run(2_000);
    expect(retired(environment)).toMatchObject([
      { instance: sick, reason: 'unhealthy: database: connection refused' },
    ]);
    expect(environment.fewestServing).toBe(3);
    expect(environment.plan()).toEqual({ steps: [], wakeAt: null });
  });

  it('is not when all fail, or most: what they share is down', () => {
    const environment = running(3, { replace: 'deep' });
    const [one = '', other = '', third = ''] = serving(environment);
    for (const id of [one, other, third]) environment.setDeep(id, false);
    environment.run(2 * FAILING_MS);
    environment.setDeep(third, true);
    environment.run(2 * FAILING_MS);
    expect(environment.history).toEqual([]);
    environment.setDeep(other, true);
    environment.run(2_000);
    expect(retired(environment)).toMatchObject([{ instance: one }]);
  });

  it('is the only one at a time', () => {
    const environment = running(4, { replace: 'deep' });
    const [one = '', other = ''] = serving(environment);
    environment.setDeep(one, false);
    environment.run(1_000);
    environment.setDeep(other, false);
    environment.run(FAILING_MS + 3_000);
    const [first, second] = retired(environment);
    expect([first?.instance, second?.instance]).toEqual([one, other]);
    // Another had to boot and to prove itself between the two.
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(500);
    expect(environment.fewestServing).toBe(4);
  });

  it('is given its grace too', () => {
    const environment = running(2, { replace: 'deep', graceMs: 20_000 });
    const [sick = ''] = serving(environment);
    environment.setDeep(sick, false);
    environment.run(19_000);
    expect(environment.history).toEqual([]);
    environment.run(3_000);
    expect(retired(environment)).toMatchObject([{ instance: sick }]);
  });
});
