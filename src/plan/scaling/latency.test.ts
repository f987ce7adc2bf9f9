import { describe, expect, it } from 'vitest';
import type { TrackPolicy } from '../../model/scaling.ts';
import { inputWith, pointsOf, START, steady } from './decision.fixture.ts';
import { latencyOpinion } from './latency.ts';
import { NOTHING_REMEMBERED } from './scaling.ts';

const trackP99: TrackPolicy = {
  kind: 'track',
  metric: 'p99',
  source: null,
  target: 200,
  scaleIn: true,
};
const slow = (p99Ms: number) => steady(10, { p99Ms, requestsPerMinute: 400 });

describe('above the target', () => {
  it('adds in proportion, a half at most and one at least', () => {
    const wantsAt = (p99Ms: number, desired: number) => {
      const capacity = { min: 1, desired, max: 50 };
      return latencyOpinion(trackP99, inputWith([], { points: slow(p99Ms), capacity })).wants;
    };
    expect(wantsAt(210, 10)).toBe(11);
    expect(wantsAt(260, 10)).toBe(13);
    expect(wantsAt(5_000, 10)).toBe(15);
    expect(wantsAt(5_000, 1)).toBe(2);
  });

  it('waits to see what the last ones have done', () => {
    const points = slow(900);
    const coming = { inService: 4, healthy: 4, starting: 2, isProtected: 0 };
    const justCame = { ...NOTHING_REMEMBERED, lastOutAt: START - 8_000 };
    const longHere = { ...NOTHING_REMEMBERED, lastOutAt: START - 10_000 };
    const opinionWith = (changes: object) =>
      latencyOpinion(trackP99, inputWith([], { points, ...changes }));
    expect(opinionWith({ fleet: coming })).toMatchObject({ wants: 4, mayShrink: false });
    expect(opinionWith({ memory: justCame })).toMatchObject({ wants: 4 });
    expect(opinionWith({ memory: justCame }).why).toBe(
      '900 ms may fall yet, with the instances that have just come',
    );
    expect(opinionWith({ memory: longHere })).toMatchObject({ wants: 6 });
  });

  it('is no single slow moment', () => {
    const points = pointsOf([{ p99Ms: 150 }, { p99Ms: 900 }, { p99Ms: 150 }]);
    expect(latencyOpinion(trackP99, inputWith([], { points })).wants).toBe(4);
  });
});

describe('below the target', () => {
  it('takes nothing away unless it is far below', () => {
    const opinion = latencyOpinion(trackP99, inputWith([], { points: slow(120) }));
    expect(opinion).toMatchObject({ wants: 4, mayShrink: false });
    expect(opinion.why).toBe('120 ms suits 4 instances');
  });

  it('takes nothing away where nobody has seen fewer bear as much', () => {
    const opinion = latencyOpinion(trackP99, inputWith([], { points: slow(20) }));
    expect(opinion).toMatchObject({ wants: 4, mayShrink: false });
    expect(opinion.why).toMatch(/nothing has shown that 3 instances bear 133 requests a minute/);
  });

  it('takes a quarter away, one at least, where as much was borne within the target', () => {
    const busier = steady(20, { p99Ms: 190, requestsPerMinute: 560 }).slice(0, 10);
    const points = [...busier, ...slow(20)];
    const opinion = latencyOpinion(trackP99, inputWith([], { points }));
    expect(opinion).toMatchObject({ wants: 3, mayShrink: true });
  });

  it('does not take for borne what came in a moment, before it could be felt', () => {
    const leapt = steady(12, { p99Ms: 20, requestsPerMinute: 560 }).slice(0, 2);
    const points = [...leapt, ...slow(20)];
    expect(latencyOpinion(trackP99, inputWith([], { points })).wants).toBe(4);
  });

  it('does not take for borne what was borne badly', () => {
    const tooBusy = steady(20, { p99Ms: 400, requestsPerMinute: 560 }).slice(0, 10);
    const points = [...tooBusy, ...slow(20)];
    expect(latencyOpinion(trackP99, inputWith([], { points })).wants).toBe(4);
  });

  it('remembers by the minute what was borne within a day', () => {
    const history = pointsOf([{ p99Ms: 190, requestsPerMinute: 560 }], START - 3_600_000);
    const input = inputWith([], { points: slow(20), history });
    expect(latencyOpinion(trackP99, input).wants).toBe(3);
  });

  it('is where nothing is asked', () => {
    const points = steady(10, { requestsPerMinute: 0 });
    expect(latencyOpinion(trackP99, inputWith([], { points }))).toMatchObject({ wants: 3 });
  });
});

it('says nothing and agrees to nothing without numbers', () => {
  const points = steady(10, { requestsPerMinute: 40 });
  const opinion = latencyOpinion(trackP99, inputWith([], { points }));
  expect(opinion).toMatchObject({ policy: 'track p99 200 ms', wants: null, mayShrink: false });
});
