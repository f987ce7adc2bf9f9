import { describe, expect, it, test } from 'vitest';
import {
  configuration,
  deployRequest,
  SimulatedControl,
} from '../../test/support/simulated-control.ts';
import type { Configuration, Rollout } from '../model/configuration.ts';
import type { Step } from '../model/step.ts';

async function running(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  for (const digest of ['one', 'two']) {
    simulated.behaviours.set(digest, { bootMs: 700 });
    await simulated.deploy(digest);
    await simulated.settled();
  }
  return simulated;
}

const forecast = (simulated: SimulatedControl, change: Partial<Configuration> = {}) =>
  simulated.control.forecasts.deploy(
    { application: 'shop', environment: 'production' },
    { ...configuration, ...change },
  );

/** What the steps do, whichever instances they do it to. */
const kinds = (steps: readonly { step: Step }[]) =>
  steps.map(({ step }) => ('percent' in step ? `${step.kind} ${step.percent}` : step.kind));

const rolloutOf = (change: Partial<Rollout>): Partial<Configuration> => ({
  rollout: { ...configuration.rollout, ...change },
});

describe('a forecast', () => {
  test.each<[Rollout['policy'], Partial<Rollout>]>([
    ['rolling', {}],
    ['rolling', { batch: 2, extra: 0 }],
    ['all-at-once', {}],
    ['immutable', {}],
    ['blue-green', { keepMs: 2_000 }],
  ])('of %s %j has the steps that are then taken, and their time', async (policy, options) => {
    await using simulated = await running();
    const change = rolloutOf({ policy, ...options });
    const told = (await forecast(simulated, change)).forecast;
    expect(told?.verdict).toBe('succeeded');
    simulated.behaviours.set('three', { bootMs: 700 });
    await simulated.deploy('three', change);
    const { number, startedAt, endedAt } = await simulated.settled();
    const taken = simulated.store.steps('shop/production', number);
    expect(kinds(told?.steps ?? []).sort()).toEqual(kinds(taken).sort());
    const tookMs = (endedAt ?? 0) - startedAt;
    expect(told?.totalMs ?? 0).toBeGreaterThan(tookMs * 0.6);
    expect(told?.totalMs ?? 0).toBeLessThan(tookMs * 1.6);
  });

  it('bakes a canary for its time, where there is enough traffic or nobody has measured it', async () => {
    await using simulated = await running();
    const { forecast: told, assumptions } = await forecast(
      simulated,
      rolloutOf({ policy: 'canary', bakeMs: 60_000 }),
    );
    expect(kinds(told?.steps ?? []).filter((kind) => kind.startsWith('shift'))).toEqual([
      'shift 10',
      'shift 100',
    ]);
    expect(told?.totalMs).toBeGreaterThan(60_000);
    expect(told?.totalMs).toBeLessThan(70_000);
    expect(assumptions).toHaveLength(1);
  });

  it('tells that nobody could judge a canary without traffic', async () => {
    await using simulated = await running();
    await simulated.clock.advance(40_000);
    const view = await forecast(simulated, rolloutOf({ policy: 'canary' }));
    expect(view.forecast?.verdict).toBe('rolled-back');
    expect(view.concerns).toMatchObject([{ code: 'too-little-traffic', grave: true }]);
  });

  it('takes the time of hooks from the last time they ran', async () => {
    await using simulated = await running();
    const migrate = {
      command: ['node', 'migrate.js'],
      variables: {},
      timeoutMs: 60_000,
      limits: { memoryBytes: null, cpu: null },
      turnsBack: true,
    };
    const change = { hooks: { ...configuration.hooks, migrate } };
    simulated.hookEnds.set('migrate', { afterMs: 3_000, code: 0 });
    expect((await forecast(simulated, change)).assumptions).toEqual([
      'migrate has not run before: it takes no time',
    ]);
    await simulated.deploy('three', change);
    await simulated.settled();
    const { forecast: told, assumptions } = await forecast(simulated, change);
    expect(assumptions).toEqual([]);
    expect(kinds(told?.steps ?? []).slice(0, 3)).toEqual(['run-hook', 'end-hook', 'launch']);
    expect(told?.steps[2]?.atMs).toBeGreaterThanOrEqual(3_000);
  });

  it('of the first deployment says what it assumes', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    const { forecast: told, assumptions } = await forecast(simulated);
    expect(kinds(told?.steps ?? [])).toEqual([
      ...Array(3).fill('launch'),
      ...Array(3).fill('admit'),
      'settle',
    ]);
    expect(assumptions[0]).toMatch(/no instance was started here before/);
  });

  it('writes nothing', async () => {
    await using simulated = await running();
    const everything = () =>
      JSON.stringify([
        simulated.store.environments(),
        simulated.store.releases('shop/production'),
        simulated.store.versions('shop'),
        simulated.store.deployments('shop/production', 100),
        simulated.store.instances('shop/production', 0),
        simulated.store.events({ after: 0, limit: 10_000 }),
      ]);
    const before = everything();
    await forecast(simulated);
    expect(everything()).toBe(before);
  });

  it('says why it would be refused, and tells no steps while another runs', async () => {
    await using simulated = await running();
    const { operations } = simulated.control;
    operations.freeze('shop', 'production', { by: null, reason: null, until: null });
    const frozen = await forecast(simulated);
    expect(frozen.hindrance?.code).toBe('deployments-frozen');
    expect(frozen.forecast).not.toBeNull();
    await simulated.ask(deployRequest('three'), { force: true });
    const busy = await forecast(simulated);
    expect(busy.hindrance?.code).toBe('operation-in-progress');
    expect(busy.forecast).toBeNull();
  });
});
