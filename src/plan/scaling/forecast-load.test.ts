import { describe, expect, it } from 'vitest';
import { forecastLoad, loadWith } from './forecast-load.ts';
import type { Sample } from './measured.ts';

const SECOND_MS = 1_000;

/** The last of them at zero. */
const samplesOf = (values: readonly number[], periodMs = SECOND_MS): Sample[] =>
  values.map((value, index) => ({
    at: (index - values.length + 1) * periodMs,
    value,
    instances: 1,
  }));

/** Two periods ahead. */
const forecastOf = (values: readonly number[]) =>
  forecastLoad(samplesOf(values), SECOND_MS, 2 * SECOND_MS);

const rising = Array.from({ length: 60 }, (_, index) => 1_000 + 10 * index);

describe('a load', () => {
  it('that does not move is expected to stay, with a tenth kept free', () => {
    const { level, expected, headroom } = forecastOf(Array.from({ length: 60 }, () => 100));
    expect([level, expected]).toEqual([100, 100]);
    expect(headroom).toBeCloseTo(10.8, 1);
  });

  it('that rises is expected where it will be at the horizon', () => {
    expect(forecastOf(rising).expected).toBeCloseTo(1_610, 5);
  });

  it('that swings is expected in the middle, with room for the swing', () => {
    const swinging = Array.from({ length: 60 }, (_, index) => 100 + 20 * Math.sin(index * 2.4));
    const forecast = forecastOf(swinging);
    expect(forecast.expected).toBeGreaterThan(90);
    expect(forecast.expected).toBeLessThan(110);
    expect(loadWith(forecast, 1)).toBeGreaterThan(125);
    expect(loadWith(forecast, 1)).toBeLessThan(160);
  });

  it('that fell away leaves no headroom behind for having been foreseen too high', () => {
    const fell = [
      ...Array.from({ length: 50 }, () => 1_000),
      ...Array.from({ length: 10 }, () => 100),
    ];
    const { expected, headroom } = forecastOf(fell);
    expect(expected).toBeCloseTo(100, 0);
    expect(headroom).toBeLessThan(15);
  });

  it('that leaps is provided for at once, and not as if it went on leaping', () => {
    const calm = Array.from({ length: 60 }, () => 100);
    for (const leapt of [[1_600], [800, 1_600], [800, 1_600, 1_600], [1_600, 1_600, 1_600]]) {
      const load = loadWith(forecastOf([...calm, ...leapt]), 1);
      expect(load).toBeGreaterThanOrEqual(1_600);
      expect(load).toBeLessThanOrEqual(2_400);
    }
  });

  it('of which little is known is provided for as if it had always been so', () => {
    expect(loadWith(forecastOf([100]), 1)).toBeCloseTo(110.8, 1);
  });
});

describe('instances that take long to come', () => {
  const minute = 60 * SECOND_MS;

  it('are ordered by a trend as long, not by the noise of seconds', () => {
    const steady = Array.from({ length: 1_300 }, (_, index) => 100 + (index % 2 === 0 ? 10 : -10));
    const forecast = forecastLoad(samplesOf(steady), SECOND_MS, minute);
    expect(forecast.expected).toBeLessThan(105);
    expect(loadWith(forecast, 1)).toBeLessThan(118);
    const climbing = Array.from({ length: 1_300 }, (_, index) => 10_000 + index);
    const { expected } = forecastLoad(samplesOf(climbing), SECOND_MS, minute);
    expect(expected).toBeGreaterThan(11_330);
    expect(expected).toBeLessThan(11_380);
  });

  it('are ordered as soon as a leap is seen, though it is a small part of a grain', () => {
    const leapt = [...Array.from({ length: 1_300 }, () => 100), 900, 900, 900];
    expect(forecastLoad(samplesOf(leapt), SECOND_MS, minute).level).toBe(900);
  });
});

it('bridges gaps', () => {
  const samples = samplesOf(rising).filter((_, index) => index % 3 !== 1);
  const { expected } = forecastLoad(samples, SECOND_MS, 2 * SECOND_MS);
  expect(expected).toBeGreaterThan(1_590);
  expect(expected).toBeLessThan(1_630);
});
