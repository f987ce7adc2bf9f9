import { describe, expect, it } from 'vitest';
import { good, SimulatedEnvironment } from '../../test/support/simulated-environment.ts';
import type { Rollout } from '../model/configuration.ts';
import type { Forecast } from '../model/forecast.ts';
import { forecastDeployment } from './forecast.ts';
import { policies } from './rollout/policies.ts';
import { mostInstances } from './suitability.ts';

type Policy = Rollout['policy'];

/** Release 1 serves; release 2 is about to be deployed. */
function deploying(desired: number, rollout: Partial<Rollout>): SimulatedEnvironment {
  const environment = new SimulatedEnvironment(desired);
  environment.addRelease(1, good);
  environment.deploy(1);
  environment.runUntilVerdict();
  environment.requestsPerSecond = 400;
  environment.addRelease(2, good, rollout);
  environment.deploy(2);
  return environment;
}

function foretold(environment: SimulatedEnvironment): Forecast {
  const { deployment, releases, instances } = environment.observe();
  if (!deployment) throw new Error('nothing is deployed');
  return forecastDeployment({
    environment: environment.environment,
    deployment,
    releases,
    instances,
    pace: { bootMs: good.bootMs, drainMs: good.drainTakesMs, stopMs: 0, hookMs: {} },
    requestsPerSecond: environment.requestsPerSecond,
  });
}

/** The most instances at a time, without those that drain, if `before` were there at first. */
function mostAtOnce({ steps }: Forecast, before: number): number {
  let now = before;
  let most = before;
  for (const { step } of steps) {
    if (step.kind === 'launch') now += 1;
    if (step.kind === 'retire') now -= 1;
    most = Math.max(most, now);
  }
  return most;
}

describe.each(Object.keys(policies) as Policy[])('a forecast of %s', (policy) => {
  it.each([1, 2, 5, 20])('for %i instances is what then happens', (desired) => {
    const environment = deploying(desired, { policy });
    const told = foretold(environment);
    const before = environment.history.length;
    const startedAt = environment.now;
    const { state, endedAt } = environment.runUntilVerdict();
    const taken = environment.history.slice(before).map(({ step }) => step.kind);
    const tookMs = (endedAt ?? 0) - startedAt;
    expect(told.verdict).toBe(state);
    expect(told.steps.map(({ step }) => step.kind).sort()).toEqual(taken.sort());
    expect(told.totalMs).toBeGreaterThan(tookMs * 0.8);
    expect(told.totalMs).toBeLessThan(tookMs * 1.2 + 1_100);
  });

  it.each([1, 4])(
    'for %i instances never has more at a time than suitability counts on',
    (desired) => {
      const environment = deploying(desired, { policy });
      const { deployment } = environment.observe();
      const counted = mostInstances({
        rollout: deployment?.rollout as Rollout,
        desired,
        max: desired,
        running: desired,
        from: { upstream: false },
        to: { upstream: false, warm: 0, size: null, limits: { memoryBytes: null, cpu: null } },
      });
      expect(mostAtOnce(foretold(environment), desired)).toBeLessThanOrEqual(counted);
    },
  );
});

it('tells the steps of a canary at their times', () => {
  const { steps, totalMs } = foretold(deploying(2, { policy: 'canary', bakeMs: 60_000 }));
  const story = steps
    .filter(({ step }) => step.kind !== 'bury')
    .map(({ atMs, step }) => {
      const what =
        'instance' in step ? step.instance : 'percent' in step ? `${step.percent} %` : '';
      return `${atMs} ${step.kind} ${what}`.trim();
    });
  expect([...story, totalMs]).toMatchInlineSnapshot(`
    [
      "0 launch new-1",
      "300 admit new-1",
      "500 launch new-2",
      "500 shift 10 %",
      "800 admit new-2",
      "60500 launch new-3",
      "60800 admit new-3",
      "61000 shift 100 %",
      "61000 retire i-00000001",
      "61000 retire i-00000002",
      "61000 retire new-2",
      "61050 terminate i-00000001",
      "61050 terminate i-00000002",
      "61050 terminate new-2",
      "61050 settle",
      61050,
    ]
  `);
});
