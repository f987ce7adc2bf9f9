import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SCALING, scalingSchema } from '../../model/scaling.ts';
import { DrivenGroup, trackCpu, trackRequests } from './decision.fixture.ts';
import type { ScalingDecision } from './scaling.ts';

/** Decisions one after the other, as often as on real machines, with the defaults. */

const MINUTE_POINTS = 30;
const byRequests = { ...NO_SCALING, policies: [trackRequests] };

/** Each between a tenth less and a tenth more. */
const noisy = (seed: number) => {
  let state = seed;
  return (load: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return load * (0.9 + (0.2 * state) / 2 ** 32);
  };
};

const passMinutes = (group: DrivenGroup, minutes: number, loadAt: () => number | null): void => {
  for (let point = 0; point < minutes * MINUTE_POINTS; point += 1) group.pass(loadAt());
};

const changes = ({ decisions }: DrivenGroup) => decisions.filter(({ from, to }) => from !== to);

/** How often out followed on in, or in on out. */
function turns(decisions: readonly ScalingDecision[]): number {
  const ways = decisions.map(({ from, to }) => Math.sign(to - from));
  return ways.filter((way, index) => index > 0 && way !== ways[index - 1]).length;
}

describe('a load that leaps from 50 to 800 requests a second, on an app bound by its CPU', () => {
  const leapt = () => {
    const policies = [{ ...trackCpu, target: 60 }];
    const group = new DrivenGroup({ scaling: { ...NO_SCALING, policies }, costPercent: 0.02 });
    passMinutes(group, 6, () => 50 * 60);
    return group;
  };
  const needed = Math.ceil((800 * 60 * 0.02) / 60);

  it('is answered by one decision, though the CPU shows no more than what there is', () => {
    const group = leapt();
    const { from, to } = group.pass(800 * 60);
    expect(from).toBeLessThanOrEqual(2);
    expect(to).toBeGreaterThanOrEqual(needed);
    expect(to).toBeLessThanOrEqual(1.5 * needed);
    group.pass(800 * 60);
    group.pass(800 * 60);
    expect(group.isShort).toBe(false);
    expect(group.desired).toBe(to);
  });

  it('leaves nothing running when it is over but what is needed', () => {
    const group = leapt();
    const before = group.desired;
    passMinutes(group, 5, () => 800 * 60);
    passMinutes(group, 12, () => 50 * 60);
    expect(group.desired).toBe(before);
    expect(changes(group).length).toBeLessThan(8);
  });
});

describe('latency alone', () => {
  const byLatency = { ...NO_SCALING, policies: [{ ...trackCpu, metric: 'p99', target: 200 }] };

  it('is brought below its target in bounded steps, kept there, and goes in when load falls', () => {
    const group = new DrivenGroup({ scaling: scalingSchema.parse(byLatency) });
    passMinutes(group, 6, () => 60);
    expect(group.desired).toBe(1);
    passMinutes(group, 4, () => 600);
    const steps = changes(group).map(({ to }) => to);
    expect(group.points.at(-1)?.p99Ms).toBeLessThanOrEqual(200);
    expect(steps.every((to, index) => to <= Math.ceil(1.5 * (steps[index - 1] ?? 1)))).toBe(true);
    passMinutes(group, 20, () => 600);
    expect(changes(group)).toHaveLength(steps.length);
    passMinutes(group, 60, () => 100);
    expect(group.desired).toBeLessThanOrEqual(2);
    expect(turns(changes(group))).toBe(1);
  });
});

describe('a load that is steady but for a tenth up or down', () => {
  it('starts and stops nothing again and again, whatever the chance and the size', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0.5, max: 30, noNaN: true }), (seed, size) => {
        const group = new DrivenGroup({ scaling: byRequests });
        const noise = noisy(seed);
        passMinutes(group, 12, () => noise(100 * size));
        const settled = changes(group).length;
        passMinutes(group, 30, () => noise(100 * size));
        expect(turns(changes(group).slice(settled))).toBeLessThanOrEqual(1);
        expect(group.desired).toBeLessThanOrEqual(Math.ceil(size * 1.7));
      }),
      { numRuns: 5 },
    );
  });
});

describe('numbers that fail to come', () => {
  it('take nothing away, however long, and nothing at once when they come again', () => {
    const group = new DrivenGroup({ scaling: byRequests });
    passMinutes(group, 10, () => 900);
    const before = group.desired;
    passMinutes(group, 20, () => null);
    expect(group.desired).toBe(before);
    expect(group.decisions.at(-1)?.reason).toMatch(/has no number$/);
    passMinutes(group, 4, () => 100);
    expect(group.desired).toBe(before);
    passMinutes(group, 4, () => 100);
    expect(group.desired).toBe(2);
  });

  it('take nothing away where only every third comes, and still allow for more', () => {
    const group = new DrivenGroup({ scaling: byRequests });
    passMinutes(group, 10, () => 900);
    const before = group.desired;
    let point = 0;
    const withGaps = (load: number) => () => {
      point += 1;
      return point % 3 === 0 ? load : null;
    };
    passMinutes(group, 2, withGaps(900));
    expect(group.desired).toBe(before);
    passMinutes(group, 1, withGaps(2_000));
    expect(group.desired).toBeGreaterThanOrEqual(20);
  });
});

describe('a clock that is set, by anything up to an hour', () => {
  const anHour = fc.integer({ min: -3_600_000, max: 3_600_000 });

  it('neither starts nor stops anything', () => {
    fc.assert(
      fc.property(anHour, (byMs) => {
        const group = new DrivenGroup({ scaling: byRequests });
        passMinutes(group, 8, () => 900);
        const before = changes(group).length;
        group.setClock(byMs);
        passMinutes(group, 4, () => 900);
        expect(changes(group).length).toBe(before);
      }),
      { numRuns: 10 },
    );
  });

  it('holds up neither what is needed nor what is too much', () => {
    fc.assert(
      fc.property(anHour, (byMs) => {
        const group = new DrivenGroup({ scaling: byRequests });
        passMinutes(group, 8, () => 900);
        group.setClock(byMs);
        passMinutes(group, 1, () => 900);
        passMinutes(group, 0.2, () => 1_800);
        expect(group.desired).toBeGreaterThanOrEqual(18);
        passMinutes(group, 8, () => 300);
        expect(group.desired).toBeLessThanOrEqual(5);
      }),
      { numRuns: 10 },
    );
  });
});
