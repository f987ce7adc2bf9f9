import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScalingPolicy, SchedulePolicy, StepPolicy } from '../../model/scaling.ts';
import { decideScaling } from './decide.ts';
import {
  inputWith,
  PERIOD_MS,
  pointAt,
  pointsOf,
  START,
  steady,
  trackCpu,
  trackRequests,
} from './decision.fixture.ts';
import { NOTHING_REMEMBERED, type ScalingInput } from './scaling.ts';

/** Of 50 each: what four, and so many, are needed for once errors are known. */
const calm = (cpuPercent: number) => steady(45, { cpuPercent, requestsPerMinute: 300 });
const addOne: StepPolicy = {
  kind: 'step',
  metric: 'cpu',
  source: null,
  when: 'above',
  threshold: 70,
  forMs: 0,
  steps: [{ from: 0, to: null, adjustment: { kind: 'change', by: 1 } }],
};
const takeOne: StepPolicy = {
  ...addOne,
  when: 'below',
  threshold: 30,
  steps: [{ from: 0, to: null, adjustment: { kind: 'change', by: -1 } }],
};
const businessHours: SchedulePolicy = {
  kind: 'schedule',
  cron: '0 9 * * *',
  timeZone: 'UTC',
  until: { kind: 'cron', cron: '0 18 * * *' },
  min: 6,
  max: null,
  desired: null,
};

describe('several policies', () => {
  it('go out if one wants to, though the others want fewer', () => {
    const points = steady(45, { cpuPercent: 40, requestsPerMinute: 900 });
    const decision = decideScaling(inputWith([trackCpu, trackRequests], { points }));
    expect(decision).toMatchObject({ from: 4, to: 10 });
    expect(decision.reason).toMatch(/^6 more: track requests-per-instance 100: 900 requests/);
  });

  it('go in no further than the one that wants most', () => {
    const points = steady(45, { cpuPercent: 40, requestsPerMinute: 160 });
    expect(decideScaling(inputWith([trackCpu, trackRequests], { points })).to).toBe(2);
  });

  it('do not go in when one is content with what there is', () => {
    const points = steady(45, { cpuPercent: 20, requestsPerMinute: 360 });
    const decision = decideScaling(inputWith([trackCpu, trackRequests], { points }));
    expect(decision.to).toBe(4);
    expect(decision.reason).toMatch(/^stays at 4: track requests-per-instance 100/);
  });

  it('do not go in when one has nothing to go by', () => {
    const points = steady(45, { cpuPercent: 20 });
    const decision = decideScaling(inputWith([trackCpu, trackRequests], { points }));
    expect(decision.to).toBe(4);
    expect(decision.reason).toBe('stays at 4: track requests-per-instance 100: has no number');
  });

  it('go in though one that may only add would be content with fewer, and not for it', () => {
    const onlyAdds = { ...trackRequests, scaleIn: false };
    const points = steady(45, { cpuPercent: 20, requestsPerMinute: 10 });
    expect(decideScaling(inputWith([trackCpu, onlyAdds], { points })).to).toBe(1);
    expect(decideScaling(inputWith([onlyAdds], { points })).to).toBe(4);
  });

  it('take a step that adds for agreed while it is not due, and one that takes away for not', () => {
    const points = steady(45, { cpuPercent: 160, requestsPerMinute: 50 });
    expect(decideScaling(inputWith([trackRequests, addOne], { points })).to).toBe(1);
    expect(decideScaling(inputWith([trackRequests, takeOne], { points })).to).toBe(4);
  });
});

describe('what holds a scale-in back', () => {
  const low = calm(20);
  const decide = (
    changes: Partial<ScalingInput>,
    scaling: Partial<ScalingInput['scaling']> = {},
  ) => {
    const input = inputWith([trackCpu], { points: low, ...changes });
    return decideScaling({ ...input, scaling: { ...input.scaling, ...scaling } });
  };

  it('is nothing in the plain case', () => {
    expect(decide({})).toMatchObject({ from: 4, to: 1 });
    expect(decide({}).reason).toMatch(/^3 fewer: track cpu 50%: 20% of CPU now/);
  });

  it('is that the rest would be missed with a little more load', () => {
    const decision = decide({ points: calm(125) });
    expect(decision).toMatchObject({ to: 4 });
    expect(decision.reason).toMatch(
      /at 50% each: 3 instances, and 4 until fewer leave twice as much free$/,
    );
    expect(decide({ points: calm(120) }).to).toBe(3);
  });

  it('is the lower bound', () => {
    const decision = decide({ capacity: { min: 3, desired: 4, max: 8 } });
    expect(decision).toMatchObject({ to: 3 });
    expect(decision.reason).toMatch(/^1 fewer: .*; but min is 3$/);
  });

  it('is that it would be the last, which goes for being idle and not for low load', () => {
    const capacity = { min: 0, desired: 1, max: 8 };
    const fleet = { inService: 1, healthy: 1, starting: 0, isProtected: 0 };
    const points = steady(45, { cpuPercent: 0, instances: 1 });
    const input = inputWith([takeOne], { points, capacity, fleet });
    const decision = decideScaling(input);
    expect(decision.to).toBe(1);
    expect(decision.reason).toMatch(/but the last one goes only when nobody asks for it$/);
  });

  it('is a deployment, that cannot lose instances it counts on', () => {
    const decision = decide({ deploying: true });
    expect(decision.to).toBe(4);
    expect(decision.reason).toMatch(/but a deployment is under way$/);
  });

  it('is that too few are healthy', () => {
    const fleet = { inService: 4, healthy: 3, starting: 0, isProtected: 0 };
    expect(decide({ fleet }).reason).toMatch(/3 of 4 are healthy, and 90% must be$/);
    expect(decide({ fleet }, { minHealthyPercent: 75 }).to).toBe(1);
  });

  it('is protection, instance by instance', () => {
    const fleet = { inService: 4, healthy: 4, starting: 0, isProtected: 2 };
    expect(decide({ fleet })).toMatchObject({ to: 2 });
    expect(decide({ fleet }).reason).toMatch(/but 2 are protected$/);
  });

  it('is the cool-down after any change', () => {
    const memory = { ...NOTHING_REMEMBERED, lastOutAt: START - 20_000 };
    expect(decide({ memory }, { cooldownMs: 60_000 }).reason).toMatch(
      /the last change was 20 s ago, and 60 s must pass$/,
    );
    expect(decide({ memory }, { cooldownMs: 20_000 }).to).toBe(1);
  });

  it('is the largest share that may go at a time, which is at least one', () => {
    expect(decide({}, { maxInPercent: 50 }).to).toBe(2);
    expect(decide({}, { maxInPercent: 10 }).to).toBe(3);
  });

  it('is what was wanted within the stabilisation window', () => {
    const wanted = [
      { at: START - 301_000, instances: 9 },
      { at: START - 120_000, instances: 3 },
      { at: START - 60_000, instances: 2 },
    ];
    const decision = decide(
      { memory: { ...NOTHING_REMEMBERED, wanted } },
      { stabilizationMs: 300_000 },
    );
    expect(decision.to).toBe(3);
    expect(decision.reason).toMatch(/but 3 were wanted 2 min ago, and scale-in waits for 5 min of/);
    expect(decision.memory.wanted.map(({ instances }) => instances)).toEqual([3, 2, 1]);
  });

  it('is not knowing what was wanted before, at the beginning and after a long silence', () => {
    const stabilizationMs = 300_000;
    expect(decide({}, { stabilizationMs })).toMatchObject({ to: 4 });
    const wanted = [{ at: START - 400_000, instances: 1 }];
    const memory = { ...NOTHING_REMEMBERED, wanted };
    expect(decide({ memory }, { stabilizationMs }).to).toBe(4);
  });

  it('is that somebody has raised it by hand a moment ago', () => {
    const wanted = [{ at: START - 2_000, instances: 1 }];
    const memory = { ...NOTHING_REMEMBERED, wanted, left: 1 };
    expect(decide({ memory }, { stabilizationMs: 300_000 })).toMatchObject({ from: 4, to: 4 });
    expect(decide({ memory: { ...memory, left: 4 } }, { stabilizationMs: 300_000 }).to).toBe(1);
  });
});

describe('what holds a scale-out back', () => {
  it('is the upper bound, and then the target cannot be met', () => {
    const points = calm(900);
    const decision = decideScaling(inputWith([trackCpu], { points }));
    expect(decision.to).toBe(20);
    const full = decideScaling(
      inputWith([trackCpu], { points, capacity: { min: 1, desired: 6, max: 6 } }),
    );
    expect(full.reason).toMatch(/^stays at 6: .*; max is 6, with which that cannot be met$/);
  });

  it('is the largest share that may come at a time, those on their way included', () => {
    const input = inputWith([trackCpu], { points: calm(900) });
    const scaling = { ...input.scaling, maxOutPercent: 50 };
    expect(decideScaling({ ...input, scaling }).to).toBe(6);
    const capacity = { min: 1, desired: 6, max: 20 };
    const fleet = { inService: 4, healthy: 4, starting: 2, isProtected: 0 };
    expect(decideScaling({ ...input, scaling, capacity, fleet }).to).toBe(6);
  });

  it('is no deployment, no cool-down and no sickness', () => {
    const memory = { ...NOTHING_REMEMBERED, lastOutAt: START - 1_000 };
    const fleet = { inService: 1, healthy: 0, starting: 3, isProtected: 0 };
    const input = inputWith([trackCpu], { points: calm(300), memory, fleet, deploying: true });
    const scaling = { ...input.scaling, cooldownMs: 600_000 };
    expect(decideScaling({ ...input, scaling }).to).toBe(7);
  });
});

describe('schedules', () => {
  it('set the bounds that policies move between', () => {
    const decision = decideScaling(inputWith([businessHours, trackCpu], { points: calm(20) }));
    expect(decision).toMatchObject({ min: 6, max: 20, to: 6 });
    expect(decision.reason).toMatch(/^min is 6; stays at 6: track cpu 50%/);
  });

  it('set desired once, and it stays for the window', () => {
    const raise = { ...businessHours, min: null, desired: 10 };
    const input = inputWith([raise, trackCpu], { points: calm(20) });
    const scaling = { ...input.scaling, stabilizationMs: 300_000 };
    const first = decideScaling({ ...input, scaling });
    expect(first).toMatchObject({ from: 4, to: 10 });
    expect(first.reason).toMatch(/^a schedule sets desired to 10; stays at 10/);
    const capacity = { min: 1, desired: 10, max: 20 };
    const then = { ...input, scaling, capacity, memory: first.memory };
    expect(decideScaling(then).to).toBe(10);
  });

  it('take nothing away during a deployment, and do it afterwards', () => {
    const lower = { ...businessHours, min: null, desired: 2 };
    const during = decideScaling(inputWith([lower], { deploying: true }));
    expect(during.to).toBe(4);
    expect(decideScaling(inputWith([lower], { memory: during.memory })).to).toBe(2);
  });
});

it('stays without any policy, and says so', () => {
  expect(decideScaling(inputWith([]))).toMatchObject({
    to: 4,
    reason: 'stays at 4: no policy is about the load',
  });
});

describe('whatever comes', () => {
  const number = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }));
  const measured = fc.record({
    instances: fc.nat(50),
    cpuPercent: number,
    requestsPerMinute: number,
    concurrency: number,
    p99Ms: number,
  });
  const policies = fc.subarray<ScalingPolicy>(
    [trackCpu, trackRequests, { ...trackCpu, metric: 'p99' }, addOne, takeOne, businessHours],
    { minLength: 1 },
  );
  const input = fc
    .record({
      policies,
      measured: fc.array(measured, { maxLength: 60 }),
      min: fc.nat(10),
      more: fc.nat(20),
      most: fc.integer({ min: 1, max: 30 }),
      jumpMs: fc.integer({ min: -3_700_000, max: 3_700_000 }),
      deploying: fc.boolean(),
      isProtected: fc.nat(12),
    })
    .map(({ policies, measured, min, more, most, jumpMs, deploying, isProtected }) => {
      const capacity = { min, desired: min + Math.min(more, most), max: min + most };
      const fleet = { inService: capacity.desired, healthy: capacity.desired, starting: 0 };
      const points = pointsOf(measured, START + jumpMs);
      const parts = { capacity, points, deploying, fleet: { ...fleet, isProtected } };
      return inputWith(policies, parts);
    });

  it('is always within the bounds in force, and has a reason', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { to, min, max, reason, opinions } = decideScaling(given);
        expect(to).toBeGreaterThanOrEqual(min);
        expect(to).toBeLessThanOrEqual(max);
        expect(reason).not.toMatch(/NaN|undefined|null/);
        expect(opinions).toHaveLength(given.scaling.policies.length);
      }),
    );
  });

  it('does not depend on the order of the policies', () => {
    fc.assert(
      fc.property(input, (given) => {
        const reversed = { ...given.scaling, policies: given.scaling.policies.toReversed() };
        expect(decideScaling({ ...given, scaling: reversed }).to).toBe(decideScaling(given).to);
      }),
    );
  });

  it('takes nothing away for want of numbers', () => {
    const silences = fc.constantFrom<(points: ScalingInput['points']) => ScalingInput['points']>(
      () => [],
      (points) => points.map(({ at, instances }) => pointAt(at, { instances })),
      (points) => points.map((point) => ({ ...point, at: point.at - 4 * PERIOD_MS })),
      (points) => points.map((point) => ({ ...point, at: point.at + 600_000 })),
    );
    fc.assert(
      fc.property(input, silences, (given, silence) => {
        const points = silence(pointsOf(given.points));
        const { from, to, max } = decideScaling({ ...given, points });
        expect(to).toBeGreaterThanOrEqual(Math.min(from, max));
      }),
    );
  });

  it('wants no fewer for more of the same', () => {
    const loads = fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(loads, fc.double({ min: 1, max: 4, noNaN: true }), (load, times) => {
        const under = (factor: number) => {
          const measured = load.map((each) => ({ requestsPerMinute: each * factor }));
          return decideScaling(inputWith([trackRequests], { points: pointsOf(measured) })).to;
        };
        expect(under(times)).toBeGreaterThanOrEqual(under(1));
      }),
    );
  });
});
