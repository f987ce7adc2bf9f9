import { describe, expect, it } from 'vitest';
import { inputWith, pointsOf, START, steady, trackCpu } from './decision.fixture.ts';
import { demandOf } from './demand.ts';
import { believable } from './measured.ts';
import { requestCost } from './request-cost.ts';

describe('the demand on a group', () => {
  it('is what its instances bear together', () => {
    const points = steady(2, { concurrency: 12, requestsPerMinute: 90, reported: { jobs: 7 } });
    const demands = (metric: Parameters<typeof demandOf>[0]) =>
      demandOf(metric, { name: 'jobs', url: null }, points).map(({ value }) => value);
    expect(demands('concurrency')).toEqual([12, 12]);
    expect(demands('requests-per-instance')).toEqual([90, 90]);
    expect(demands('backlog-per-instance')).toEqual([7, 7]);
    expect(demands('cpu')).toEqual([]);
  });

  it('leaves out what no number can be', () => {
    const points = pointsOf([
      { cpuPercent: Number.NaN },
      { cpuPercent: -3 },
      { cpuPercent: Number.POSITIVE_INFINITY },
      { cpuPercent: 5 },
    ]);
    expect(demandOf('cpu', null, points).map(({ value }) => value)).toEqual([5]);
  });
});

describe('CPU at its end', () => {
  const unsaturated = steady(8, { cpuPercent: 100, requestsPerMinute: 1_000 }).slice(0, 6);

  it('hides what is asked for, which follows from what requests took before', () => {
    const points = [...unsaturated, ...steady(2, { cpuPercent: 398, requestsPerMinute: 9_000 })];
    const demand = demandOf('cpu', null, points).map(({ value }) => value);
    expect(demand.slice(-3)).toEqual([100, 900, 900]);
  });

  it('is itself all that is known where nothing was left over before', () => {
    const points = steady(3, { cpuPercent: 398, requestsPerMinute: 9_000 });
    expect(requestCost(points)).toBe(null);
    expect(demandOf('cpu', null, points).at(-1)?.value).toBe(398);
  });

  it('is not made less by requests that became cheap', () => {
    const points = [...unsaturated, ...steady(1, { cpuPercent: 398, requestsPerMinute: 10 })];
    expect(demandOf('cpu', null, points).at(-1)?.value).toBe(398);
  });

  it('costs what most points say, not the one in which load began', () => {
    const odd = steady(7, { cpuPercent: 200, requestsPerMinute: 9_000 }).slice(0, 1);
    expect(requestCost([...unsaturated, ...odd])?.cpuPercent).toBe(0.1);
  });
});

describe('CPU of an app that its machine leaves too little of', () => {
  const served = steady(20, { cpuPercent: 40, requestsPerMinute: 1_200, concurrency: 1 });
  const demandWith = (...measured: Parameters<typeof pointsOf>[0]) =>
    demandOf('cpu', null, [...served, ...pointsOf(measured)]).map(({ value }) => value);

  it('hides what is asked for, and requests that stay inside tell', () => {
    const piling = { cpuPercent: 60, requestsPerMinute: 6_000, concurrency: 50 };
    expect(demandWith(piling).at(-1)).toBeCloseTo(200, 5);
  });

  it('does not rise because what it waits for is slow', () => {
    const slow = { cpuPercent: 41, requestsPerMinute: 1_200, concurrency: 30 };
    expect(demandWith(slow).at(-1)).toBe(41);
  });

  it('is learned where much is asked, not from what it does by itself', () => {
    const night = steady(40, { cpuPercent: 8, requestsPerMinute: 10 });
    const cost = requestCost([...night.slice(0, 19), ...served]);
    expect(cost?.cpuPercent).toBeCloseTo(40 / 1_200, 5);
  });
});

describe('points that can be believed', () => {
  const believed = (points: Parameters<typeof inputWith>[1]) =>
    believable(inputWith([trackCpu], points)).map(({ at }) => at - START);

  it('are not of the future', () => {
    const points = [...pointsOf([{}, {}]), ...pointsOf([{}], START + 60_000)];
    expect(believed({ points })).toEqual([-2_000, 0]);
  });

  it('are none from before the clock was set back', () => {
    const points = [...pointsOf([{}, {}, {}], START - 3_000), ...pointsOf([{}], START - 5_000)];
    expect(believed({ points })).toEqual([-5_000]);
  });
});
