import { describe, expect, it } from 'vitest';
import { good, SimulatedEnvironment } from '../../test/support/simulated-environment.ts';
import type { DeepReport } from '../model/target.ts';
import type { TrafficView } from '../model/view.ts';
import { type Diagnosis, diagnose } from './health.ts';
import type { Observation, ObservedTarget } from './observation.ts';

const NOW = 2_000_000;

/** An environment at rest, whose instances' targets are changed in their order. */
function observation(desired: number, ...changes: Partial<ObservedTarget>[]): Observation {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good);
  environment.deploy(1);
  expect(environment.runUntilVerdict().state).toBe('succeeded');
  const observed = environment.observe();
  const instances = observed.instances.map((instance, i) => ({
    ...instance,
    target: instance.target && { ...instance.target, ...changes[i] },
  }));
  return { ...observed, instances };
}

const health = (observed: Observation, traffic: TrafficView | null = null): Diagnosis =>
  diagnose(observed, traffic, NOW);

const fails = (...parts: [name: string, detail: string][]): Partial<ObservedTarget> => ({
  deep: {
    passed: false,
    description: 'answered 503 to GET /readyz',
    parts: parts.map(([name, detail]) => ({ name, passed: false, detail })),
  },
});
const passes: Partial<ObservedTarget> = { deep: { passed: true, description: '', parts: [] } };

describe('what an environment depends on', () => {
  it('is no cause for concern while deep checks pass, or there are none', () => {
    expect(health(observation(2)).health).toBe('ok');
    expect(health(observation(2, passes, passes)).health).toBe('ok');
  });

  it('is a warning when it fails for some', () => {
    const refused = fails(['database', 'connection refused']);
    expect(health(observation(3, refused, passes, refused))).toEqual({
      health: 'warning',
      cause: 'database: connection refused on 2 of 3 instances',
    });
  });

  it('is degraded when it fails for all, though all are routed to', () => {
    const late = fails(['database', 'no answer in 5001 ms'], ['cache', '']);
    const later = fails(['database', 'no answer in 5003 ms']);
    expect(health(observation(2, late, later))).toEqual({
      health: 'degraded',
      cause: 'database: no answer in 5001 ms on 2 of 2 instances',
    });
    expect(health(observation(1, late))).toEqual({
      health: 'degraded',
      cause: 'database: no answer in 5001 ms on 1 of 1 instance',
    });
  });

  it('is told by its answer when that names no part', () => {
    expect(health(observation(2, fails(), passes))).toEqual({
      health: 'warning',
      cause: 'answered 503 to GET /readyz on 1 of 2 instances',
    });
  });

  it('says nothing of an instance that takes no traffic', () => {
    const gone = { ...fails(['database', '']), health: 'unhealthy' as const };
    const { cause } = health(observation(2, gone, passes));
    expect(cause).toMatch(/^1 of 2 instances in service/);
  });

  it('comes behind requests that fail, and before a running deployment', () => {
    const observed = observation(1, fails(['database', 'gone']));
    const traffic: TrafficView = {
      windowMs: 10_000,
      requestsPerSecond: 10,
      p50Ms: 1,
      p99Ms: 1,
      lost: 0,
      appErrors: 50,
      serverErrors: 50,
    };
    expect(health(observed, traffic)).toMatchObject({ health: 'severe' });
    const environment = new SimulatedEnvironment(1);
    environment.addRelease(1, good);
    environment.deploy(1);
    const deploying = { ...observed, deployment: environment.deployment };
    expect(health(deploying)).toMatchObject({ health: 'degraded', cause: /^database/ });
  });

  it('is told of a fixed address', () => {
    const observed = observation(1);
    const deep: DeepReport = {
      passed: false,
      description: 'database: gone',
      parts: [{ name: 'database', passed: false, detail: 'gone' }],
    };
    const [first] = observed.instances;
    const fixed = first?.target ? { ...first.target, deep } : null;
    const releases = new Map(
      [...observed.releases].map(([number, needs]) => [number, { ...needs, upstream: true }]),
    );
    expect(health({ ...observed, instances: [], releases, fixed })).toEqual({
      health: 'degraded',
      cause: 'the fixed address says: database: gone',
    });
  });

  it('is told of an address that another stands in for', () => {
    const observed = observation(1);
    const fixed = observed.instances[0]?.target ?? null;
    const fixedOut = ['http://10.0.0.1:8080: connection refused'];
    const releases = new Map(
      [...observed.releases].map(([number, needs]) => [number, { ...needs, upstream: true }]),
    );
    expect(health({ ...observed, instances: [], releases, fixed, fixedOut })).toEqual({
      health: 'warning',
      cause: 'not all addresses are healthy: http://10.0.0.1:8080: connection refused',
    });
  });
});

describe('an instance that the edge leaves out', () => {
  const leftOut = { ejection: '5 errors in a row; left out for 30 s' };

  it('is a warning', () => {
    const observed = observation(3, {}, leftOut);
    expect(health(observed)).toEqual({
      health: 'warning',
      cause: `1 of 3 instances is left out for bad answers (${observed.instances[1]?.id}: 5 errors in a row; left out for 30 s)`,
    });
  });

  it('is counted with the others', () => {
    expect(health(observation(4, leftOut, leftOut)).cause).toMatch(
      /^2 of 4 instances are left out/,
    );
  });
});

describe('an environment of which none is desired', () => {
  it('is stopped, and nothing is wrong with it', () => {
    expect(health(observation(0))).toEqual({ health: 'ok', cause: 'stopped: none is desired' });
  });
});
