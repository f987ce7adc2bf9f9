import { afterEach, describe, expect, test } from 'vitest';
import { ledgerDifference } from '../../src/model/ledger.ts';
import type { DeploymentDetail } from '../../src/model/view.ts';
import type { AppOptions } from './support/app.ts';
import { House, where } from './support/house.ts';
import { difference, ended, type Load, startLoad } from './support/load.ts';

/**
 * Every deploy policy on real processes, under an independent client that numbers its requests: not
 * one is lost, forward or back, and the receipt agrees.
 */

const DEPLOYS = process.env.BELAY_NIGHTLY ? 20 : 2;

const policies: { name: string; deploy: NonNullable<AppOptions['deploy']> }[] = [
  { name: 'rolling by half, in place', deploy: { policy: 'rolling', batch: '50%', extra: 0 } },
  { name: 'rolling by half, beside', deploy: { policy: 'rolling', batch: '50%', extra: '50%' } },
  { name: 'all at once', deploy: { policy: 'all-at-once' } },
  { name: 'immutable', deploy: { policy: 'immutable' } },
  { name: 'canary', deploy: { policy: 'canary', percent: 20, bake: '2s', minRequests: 50 } },
  { name: 'blue-green', deploy: { policy: 'blue-green', keep: '0s' } },
];

describe('under the load of an independent client', () => {
  let house: House;
  let load: Load | null = null;
  let versions = 0;

  afterEach(async ({ task }) => {
    load?.kill();
    await house.close(task.result?.state === 'fail');
  });

  const deployed = (deploy: AppOptions['deploy'], instances = 3): Promise<DeploymentDetail> => {
    versions += 1;
    const capacity = { min: instances, max: 6, zones: ['a', 'b'] };
    const options: AppOptions = { capacity, drain: '2s', ...(deploy ? { deploy } : {}) };
    return house.deployed(house.app({ name: `v${versions}` }, options));
  };

  async function begin(instances: number): Promise<void> {
    house = new House();
    await house.start();
    await deployed(undefined, instances);
    await house.inService(instances);
    load = startLoad({
      port: await house.port(),
      host: 'numbers.localhost',
      ratePerSecond: 200,
      sockets: 0,
    });
  }

  /** Does it under load, and holds the client's count, the ledger and the receipt to each other. */
  async function withoutLoss(act: () => Promise<DeploymentDetail>): Promise<DeploymentDetail> {
    if (load === null) throw new Error('no load');
    const before = { counts: await load.pause(), ledger: await house.ledger() };
    await load.send(50);
    const deployment = await act();
    await load.send(50);
    const seen = difference(before.counts, await load.pause());
    const account = ledgerDifference(before.ledger, await house.ledger());
    expect(deployment.state).toBe('succeeded');
    expect(seen.failures).toEqual([]);
    expect(account.outcomes).toMatchObject({ ok: ended(seen), lost: 0, cut: 0 });
    expect(deployment.receipt).toMatchObject({ lost: 0, cut: 0, unaccounted: 0 });
    expect(deployment.receipt?.requests).toBeLessThanOrEqual(ended(seen));
    return deployment;
  }

  test('no policy loses a request', { timeout: 1_800_000 }, async () => {
    await begin(3);
    for (const { name, deploy } of policies) {
      for (let i = 0; i < DEPLOYS; i += 1) {
        const { startedAt, endedAt, receipt } = await withoutLoss(() => deployed(deploy));
        console.log(`${name}: ${receipt?.requests} passed in ${(endedAt ?? 0) - startedAt} ms`);
      }
    }
  });

  test('nor with one instance', { timeout: 1_800_000 }, async () => {
    await begin(1);
    for (const { deploy } of policies.filter(({ deploy: { extra } }) => extra !== 0)) {
      await withoutLoss(() => deployed(deploy, 1));
    }
  });

  test('a canary that fails is undone, and few have met it', { timeout: 120_000 }, async () => {
    await begin(3);
    const before = { counts: await load?.pause(), ledger: await house.ledger() };
    await load?.send(50);
    versions += 1;
    const deploy = { policy: 'canary', percent: 10, bake: '1m', minRequests: 50 };
    const bad = house.app({ name: `v${versions}`, failPercent: 30 }, { drain: '2s', deploy });
    const { state, cause, receipt } = await house.deployed(bad);
    await load?.send(50);
    await load?.pause();
    expect(state).toBe('rolled-back');
    expect(cause).toMatch(/^\d+\.\d % of its requests fail, 0\.0 % of the old release's$/);
    expect(receipt).toMatchObject({ lost: 0, cut: 0, unaccounted: 0 });
    const { rows } = await house.ledger();
    const answered = rows.map(({ release, outcomes }) => ({
      isBad: release === 2,
      requests: outcomes.ok + outcomes['app-error'],
      errors: outcomes['app-error'],
    }));
    const total = answered.reduce((sum, { requests }) => sum + requests, 0);
    const exposed = answered.reduce((sum, each) => sum + (each.isBad ? each.requests : 0), 0);
    expect(exposed).toBeGreaterThanOrEqual(50);
    expect(exposed / total).toBeLessThanOrEqual(0.15);
    const seen = before.counts && difference(before.counts, (await load?.pause()) ?? before.counts);
    const errors = answered.reduce((sum, each) => sum + each.errors, 0);
    expect(seen?.failures).toHaveLength(errors);
    console.log(`undone after ${receipt?.durationMs} ms: ${exposed} of ${total} requests met it`);
  });

  test('a rollback of a blue-green deployment is a flip', { timeout: 120_000 }, async () => {
    await begin(3);
    await withoutLoss(() => deployed({ policy: 'blue-green', keep: '1m' }));
    const calledAt = Date.now();
    const back = await withoutLoss(async () => {
      const { deployment } = await house.client.call('rollback', { params: where, body: {} });
      return await house.settled(deployment?.number ?? 0);
    });
    const readmitted = back.steps.filter(({ step }) => step.kind === 'admit');
    expect(readmitted).toHaveLength(3);
    expect(back.steps.some(({ step }) => step.kind === 'launch')).toBe(false);
    const flippedAt = Math.max(
      ...back.steps
        .filter(({ step }) => step.kind === 'admit' || step.kind === 'retire')
        .map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY),
    );
    console.log(`all traffic on the old release after ${flippedAt - calledAt} ms`);
  });
});
