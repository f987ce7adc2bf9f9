import { describe, expect, it } from 'vitest';
import type { Rollout } from '../model/configuration.ts';
import type { Deployment } from '../model/deployment.ts';
import type { TargetTraffic } from '../model/target.ts';
import type { ObservedInstance } from './observation.ts';
import { planProbes } from './probing.ts';

const SECOND = 1_000;
const rollout = {
  policy: 'canary',
  minRequests: 100,
  bakeMs: 100 * SECOND,
  probes: ['/', '/products'],
} as unknown as Rollout;

/** Of an environment of one old, one as young as the new one, and the new one. */
function planned(
  now: number,
  passed: Record<string, Partial<TargetTraffic>> = {},
  changes: { rollout?: Partial<Rollout>; deployment?: Partial<Deployment>; states?: string[] } = {},
) {
  const deployment = {
    state: 'running',
    from: 1,
    to: 2,
    startedAt: 0,
    stage: { percent: 10, since: 0 },
    promoted: false,
    ...changes.deployment,
  } as Deployment;
  const { states = ['in-service', 'in-service', 'in-service'] } = changes;
  const instances = [
    { id: 'old', release: 1, createdAt: -1_000 },
    { id: 'young', release: 1, createdAt: 1 },
    { id: 'new', release: 2, createdAt: 1 },
  ].map((each, i) => ({ ...each, state: states[i], slot: { running: true } }));
  const traffic = Object.entries(passed).map(([id, told]) => ({
    pool: 'p',
    id,
    requests: 0,
    appErrors: 0,
    failures: 0,
    latency: [],
    ...told,
  }));
  return planProbes(
    { instances: instances as unknown as ObservedInstance[], traffic },
    deployment,
    { ...rollout, ...changes.rollout },
    now,
  );
}

describe('probes', () => {
  it('are asked of the new instances and of those of the same age, equally often', () => {
    const plan = planned(10 * SECOND, { old: { requests: 900 }, new: { requests: 1 } });
    expect(plan?.paths).toEqual(['/', '/products']);
    expect(plan?.instances.map(({ id }) => id)).toEqual(['new', 'young']);
    const [first, second] = plan?.instances ?? [];
    expect(first?.perSecond).toBe(second?.perSecond);
  });

  it('are as many as are lacking, before the bake ends, and never more than ten a second', () => {
    const plan = planned(10 * SECOND);
    expect(plan?.instances[0]?.perSecond).toBeCloseTo(100 / 81);
    const some = { new: { requests: 10, probes: 50 }, young: { requests: 10, probes: 50 } };
    expect(planned(55 * SECOND, some)?.instances[0]?.perSecond).toBeCloseTo(40 / 40.5);
    expect(planned(99 * SECOND)?.instances[0]?.perSecond).toBe(10);
    expect(planned(500 * SECOND)?.instances[0]?.perSecond).toBe(10);
  });

  it('are asked of the old instances where none of the same age came up', () => {
    const none = { states: ['in-service', 'terminating', 'in-service'] };
    const ids = planned(10 * SECOND, {}, none)?.instances.map(({ id }) => id);
    expect(ids).toEqual(['new']);
  });

  it('end when there is enough to judge by on both sides', () => {
    const enough = { new: { requests: 40, probes: 60 }, young: { requests: 40, probes: 60 } };
    expect(planned(50 * SECOND, enough)).toBeNull();
    expect(planned(50 * SECOND, { ...enough, young: { probes: 60 } })).not.toBeNull();
  });

  it.each<[string, ReturnType<typeof planned>]>([
    ['while it is seen what comes by itself', planned(9 * SECOND)],
    [
      'where enough will have come by itself',
      planned(20 * SECOND, { new: { requests: 25 }, young: { requests: 25 } }),
    ],
    ['where none are configured', planned(50 * SECOND, {}, { rollout: { probes: [] } })],
    ['under other policies', planned(50 * SECOND, {}, { rollout: { policy: 'rolling' } })],
    ['before there is a share', planned(50 * SECOND, {}, { deployment: { stage: null } })],
    ['once somebody has decided', planned(50 * SECOND, {}, { deployment: { promoted: true } })],
    ['on the way back', planned(50 * SECOND, {}, { deployment: { state: 'rolling-back' } })],
    [
      'where no new instance serves',
      planned(50 * SECOND, {}, { states: ['in-service', 'in-service', 'pending'] }),
    ],
  ])('are not asked %s', (_, plan) => {
    expect(plan).toBeNull();
  });
});
