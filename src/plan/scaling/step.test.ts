import { describe, expect, it, test } from 'vitest';
import type { Adjustment, StepPolicy } from '../../model/scaling.ts';
import { inputWith, PERIOD_MS, pointAt, pointsOf, START, steady } from './decision.fixture.ts';
import { NOTHING_REMEMBERED, type ScalingInput } from './scaling.ts';
import { adjusted, stepOpinion } from './step.ts';

const busy: StepPolicy = {
  kind: 'step',
  metric: 'cpu',
  source: null,
  when: 'above',
  threshold: 60,
  forMs: 0,
  steps: [
    { from: 0, to: 10, adjustment: { kind: 'change', by: 1 } },
    { from: 10, to: 30, adjustment: { kind: 'change', by: 2 } },
    { from: 30, to: null, adjustment: { kind: 'percent', by: 100, atLeast: 1 } },
  ],
};
const idle: StepPolicy = {
  ...busy,
  when: 'below',
  threshold: 30,
  steps: [
    { from: 0, to: 20, adjustment: { kind: 'change', by: -1 } },
    { from: 20, to: null, adjustment: { kind: 'percent', by: -50, atLeast: 1 } },
  ],
};

/** Of each of four instances. */
const at = (cpuPercent: number): ScalingInput['points'] =>
  steady(1, { cpuPercent: cpuPercent * 4 });

describe('a percentage', () => {
  test.each<[number, number, number, number]>([
    [10, 25, 1, 12],
    [10, -25, 1, 8],
    [10, 5, 1, 11],
    [10, -5, 1, 9],
    [10, 10, 3, 13],
    [10, -10, 3, 7],
    [1, -100, 1, 0],
    [2, -10, 5, 0],
  ])('of %d by %d, at least %d, is %d', (desired, by, atLeast, expected) => {
    expect(adjusted(desired, { kind: 'percent', by, atLeast })).toBe(expected);
  });
});

describe('a step', () => {
  test.each([
    [60, null],
    [61, 5],
    [69.9, 5],
    [70, 6],
    [89.9, 6],
    [90, 8],
    [250, 8],
  ])('at %d%% of CPU, 60 being the threshold, leads from 4 to %s', (percent, wants) => {
    expect(stepOpinion(busy, inputWith([], { points: at(percent) })).wants).toBe(wants);
  });

  test.each([
    [30, null],
    [29, 3],
    [10.1, 3],
    [10, 2],
    [0, 2],
  ])('at %d%% of CPU, below 30, leads from 4 to %s', (percent, wants) => {
    const opinion = stepOpinion(idle, inputWith([], { points: at(percent) }));
    expect(opinion).toMatchObject({ wants, mayShrink: wants !== null });
  });

  it('may set a number', () => {
    const adjustment: Adjustment = { kind: 'exactly', instances: 9 };
    const policy = { ...busy, steps: [{ from: 0, to: null, adjustment }] };
    const opinion = stepOpinion(policy, inputWith([], { points: at(80) }));
    expect(opinion).toMatchObject({ wants: 9, mayShrink: false });
    expect(opinion.why).toBe('80% is above 60%: exactly 9');
  });

  it('counts what is on its way as part of what it adds', () => {
    const capacity = { min: 1, desired: 5, max: 20 };
    const input = inputWith([], { points: at(65), capacity });
    expect(stepOpinion(busy, input).wants).toBe(5);
    expect(stepOpinion(busy, { ...input, points: at(75) }).wants).toBe(6);
  });

  it('goes by latency as it is, and by what is shared out for each instance', () => {
    const slow = { ...busy, metric: 'p99' as const, threshold: 200 };
    const points = steady(1, { p99Ms: 205 });
    expect(stepOpinion(slow, inputWith([], { points })).wants).toBe(5);
    const source = { name: 'jobs', url: null };
    const backlog = { ...busy, metric: 'backlog-per-instance' as const, source };
    const told = steady(1, { reported: { jobs: 250 } });
    const opinion = stepOpinion(backlog, inputWith([], { points: told }));
    expect(opinion.policy).toBe('step backlog-per-instance of jobs above 60');
    expect(opinion.wants).toBe(5);
  });
});

describe('the time that a metric has to be beyond its threshold', () => {
  const patient = { ...busy, forMs: 5 * PERIOD_MS };
  const cpu = (...percents: number[]) =>
    pointsOf(percents.map((percent) => ({ cpuPercent: percent * 4 })));

  it('passes without a break, and then the last number counts', () => {
    const enough = inputWith([], { points: cpu(50, 65, 65, 95, 65, 65) });
    expect(stepOpinion(patient, enough).wants).toBe(5);
    const short = stepOpinion(patient, inputWith([], { points: cpu(50, 50, 65, 65, 65, 65) }));
    expect(short).toMatchObject({ wants: null, mayShrink: false });
    expect(short.why).toBe('65% is above 60%, for 8 s of 10 s yet');
  });

  it('begins anew after a number that is not, and after a gap', () => {
    const dip = inputWith([], { points: cpu(65, 65, 65, 60, 65, 65) });
    expect(stepOpinion(patient, dip).wants).toBe(null);
    const early = pointsOf(
      [{ cpuPercent: 260 }, { cpuPercent: 260 }, { cpuPercent: 260 }],
      START - 5 * PERIOD_MS,
    );
    const gap = inputWith([], { points: [...early, ...cpu(65, 65, 65)] });
    expect(stepOpinion(patient, gap).wants).toBe(null);
  });

  it('begins anew after a change, where instances are taken away', () => {
    const waiting = { ...idle, forMs: 60_000 };
    const points = steady(45, { cpuPercent: 80 });
    const after = (ms: number) => ({ ...NOTHING_REMEMBERED, lastInAt: START - ms });
    const opinionAfter = (ms: number) =>
      stepOpinion(waiting, inputWith([], { points, memory: after(ms) }));
    expect(opinionAfter(58_000)).toMatchObject({ wants: null, mayShrink: false });
    expect(opinionAfter(60_000)).toMatchObject({ wants: 3, mayShrink: true });
  });
});

it('says nothing and agrees to nothing without a number of now', () => {
  const points = [pointAt(START - 12_000, { cpuPercent: 10 })];
  for (const policy of [busy, idle]) {
    const opinion = stepOpinion(policy, inputWith([], { points }));
    expect(opinion).toMatchObject({ wants: null, mayShrink: false });
    expect(opinion.why).toBe('has had no number for 12 s');
  }
});
