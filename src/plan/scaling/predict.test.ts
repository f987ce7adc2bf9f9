import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SCALING, type PredictPolicy, type TrackPolicy } from '../../model/scaling.ts';
import { decideScaling } from './decide.ts';
import { learn, predictOpinion } from './predict.ts';
import { type MetricPoint, NOTHING_REMEMBERED, type ScalingInput } from './scaling.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** A Monday. */
const MONDAY = Date.parse('2026-06-15T00:00:00Z');

const track: TrackPolicy = {
  kind: 'track',
  metric: 'requests-per-instance',
  source: null,
  target: 100,
  scaleIn: true,
};
const predict: PredictPolicy = { kind: 'predict', mode: 'auto' };

const point = (at: number, requestsPerMinute: number): MetricPoint => ({
  at,
  instances: 2,
  cpuPercent: null,
  requestsPerMinute,
  concurrency: null,
  p99Ms: null,
  reported: {},
});

type Load = (at: number) => number;

/** A little restless, the same whenever it is asked for. */
const restless = (at: number, share = 0.04): number =>
  1 + share * Math.sin(at / MINUTE_MS / 1.7) * Math.cos(at / MINUTE_MS / 5.3);

const minuteOfDay = (at: number): number => (at % DAY_MS) / MINUTE_MS;

/** Four times as much from nine to twelve, all at once. */
const morning: Load = (at) => {
  const minute = minuteOfDay(at);
  return (minute >= 540 && minute < 720 ? 800 : 200) * restless(at);
};

function history(load: Load, from: number, until: number): MetricPoint[] {
  const points: MetricPoint[] = [];
  for (let at = from + MINUTE_MS; at <= until; at += MINUTE_MS) points.push(point(at, load(at)));
  return points;
}

function inputAt(now: number, load: Load, days: number, rest: Partial<ScalingInput> = {}) {
  const past = history(load, now - days * DAY_MS, now);
  return {
    now,
    periodMs: MINUTE_MS,
    capacity: { min: 1, desired: 2, max: 100 },
    scaling: { ...NO_SCALING, policies: [track, predict] },
    fleet: { inService: 2, healthy: 2, starting: 0, isProtected: 0 },
    bootMs: MINUTE_MS,
    points: past.slice(-60),
    history: past,
    memory: NOTHING_REMEMBERED,
    deploying: false,
    ...rest,
  } satisfies ScalingInput;
}

const timeOf = (days: number, hour: number, minute: number): number =>
  MONDAY + days * DAY_MS + (60 * hour + minute) * MINUTE_MS;

describe('prediction', () => {
  it('raises capacity ahead of what comes every day', () => {
    const before = predictOpinion(predict, inputAt(timeOf(9, 8, 57), morning, 8));
    expect(before.wants).toBeGreaterThanOrEqual(8);
    expect(before.why).toMatch(/at this time of the last 7 days up to 3\d\d % more came/);
    const early = predictOpinion(predict, inputAt(timeOf(9, 8, 30), morning, 8));
    expect(early.wants).toBeLessThanOrEqual(3);
  });

  it('wants no fewer than the load that is there needs', () => {
    const noon = predictOpinion(predict, inputAt(timeOf(9, 11, 58), morning, 8));
    expect(noon.wants).toBeGreaterThanOrEqual(8);
  });

  it('tells by how much it was wrong, and how often it would have been short', () => {
    const { why } = predictOpinion(predict, inputAt(timeOf(9, 8, 57), morning, 8));
    expect(why).toMatch(
      /over the last 7 days its forecasts were wrong by [\d.]+ % \([\d.]+ % without the time of the day\), and would have been short [\d.]+ % of the time$/,
    );
  });

  it('learns what comes on one day of the week only', () => {
    const mondays: Load = (at) =>
      new Date(at).getUTCDay() === 1 ? morning(at) : 200 * restless(at);
    const monday = inputAt(timeOf(28, 8, 57), mondays, 27);
    expect(learn(monday).map(({ rhythm }) => rhythm.name)).toEqual(['week']);
    expect(predictOpinion(predict, monday).wants).toBeGreaterThanOrEqual(8);
    const tuesday = predictOpinion(predict, inputAt(timeOf(29, 8, 57), mondays, 28));
    expect(tuesday.wants).toBeLessThanOrEqual(3);
  });

  it('takes what was learned before as well as learning on the spot', () => {
    const input = inputAt(timeOf(9, 8, 57), morning, 8);
    const learned = learn(inputAt(timeOf(9, 6, 0), morning, 8));
    const before = predictOpinion(predict, { ...input, history: [], forecasts: learned });
    expect(before.wants).toBe(predictOpinion(predict, input).wants);
  });
});

describe('what only forecasts', () => {
  const silent = (input: ScalingInput, policy = predict) => {
    const { wants, mayShrink, why } = predictOpinion(policy, input);
    expect({ wants, mayShrink }).toEqual({ wants: null, mayShrink: true });
    return why;
  };

  it('is one without a past', () => {
    expect(silent(inputAt(timeOf(9, 8, 57), morning, 0.5))).toBe(
      'has no number of now, or none of this time of the day',
    );
  });

  it('is one whose past has not been judged for a day', () => {
    expect(silent(inputAt(timeOf(9, 8, 57), morning, 1.8))).toMatch(
      /^only forecasts, for it has been judged for less than a day: /,
    );
  });

  it('is one whose past shows it to be wrong', () => {
    const chance = (at: number) => Math.abs((Math.sin(at / MINUTE_MS) * 43_758.5453) % 1);
    const wild: Load = (at) => 10 * Math.exp(8 * chance(at));
    expect(silent(inputAt(timeOf(9, 8, 57), wild, 8))).toMatch(
      /^only forecasts, for it is wrong by more than a quarter: /,
    );
  });

  it('is one that was told to', () => {
    const forecastOnly = { ...predict, mode: 'forecast-only' as const };
    expect(silent(inputAt(timeOf(9, 8, 57), morning, 8), forecastOnly)).toMatch(
      /^only forecasts, for it is told to: .*: \d+ instances; over the last 7 days/,
    );
  });

  it('is one without a number of now', () => {
    const input = inputAt(timeOf(9, 8, 57), morning, 8);
    silent({ ...input, points: [] });
    silent({ ...input, points: input.points.slice(0, -5) });
  });
});

describe('the past', () => {
  it('may have gaps', () => {
    const input = inputAt(timeOf(9, 8, 57), morning, 8);
    const holes = input.history.filter(({ at }) => (at / MINUTE_MS) % 97 > 5);
    const gone = holes.filter(({ at }) => at < timeOf(4, 0, 0) || at > timeOf(5, 0, 0));
    expect(predictOpinion(predict, { ...input, history: gone }).wants).toBeGreaterThanOrEqual(8);
  });

  it('is not what a wrong clock stamped', () => {
    const input = inputAt(timeOf(9, 8, 57), morning, 8);
    const strays = [point(0, 1e9), point(input.now + 365 * DAY_MS, 1e9)];
    const [forecast] = learn({ ...input, history: [...strays, ...input.history] });
    expect(forecast?.growths.values.length).toBeLessThan(36 * 1_440);
    expect(predictOpinion(predict, { ...input, history: input.history }).wants).toBeLessThan(20);
  });
});

describe('a decision', () => {
  it('is never lower with a prediction than without one', () => {
    const scenario = fc.record({
      minute: fc.integer({ min: 0, max: 1_439 }),
      desired: fc.integer({ min: 1, max: 30 }),
      height: fc.integer({ min: 1, max: 20 }),
      share: fc.double({ min: 0, max: 0.6, noNaN: true }),
    });
    fc.assert(
      fc.property(scenario, ({ minute, desired, height, share }) => {
        const load: Load = (at) => 100 * (minuteOfDay(at) < 600 ? 1 : height) * restless(at, share);
        const input = inputAt(timeOf(9, 0, minute), load, 3, {
          capacity: { min: 1, desired, max: 100 },
          fleet: { inService: desired, healthy: desired, starting: 0, isProtected: 0 },
        });
        const alone = { ...input, scaling: { ...NO_SCALING, policies: [track] } };
        expect(decideScaling(input).to).toBeGreaterThanOrEqual(decideScaling(alone).to);
      }),
      { numRuns: 40 },
    );
  });
});
