import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LedgerReading, ledgerDifference } from '../../src/model/ledger.ts';
import type { DeploymentDetail } from '../../src/model/view.ts';
import type { AppOptions } from './support/app.ts';
import { House, where } from './support/house.ts';
import { difference, ended, type Load, type LoadCounts, startLoad } from './support/load.ts';

/**
 * Every deploy policy on real processes, under an independent client that numbers its requests: not
 * one is lost, forward or back, and the receipt agrees.
 */

const DEPLOYS = process.env.BELAY_NIGHTLY ? 20 : 1;

const quick = { bake: '500ms', minRequests: 10 };
const policies: { name: string; deploy: NonNullable<AppOptions['deploy']> }[] = [
  { name: 'rolling by half, in place', deploy: { policy: 'rolling', batch: '50%', extra: 0 } },
  { name: 'rolling by half, beside', deploy: { policy: 'rolling', batch: '50%', extra: '50%' } },
  { name: 'all at once', deploy: { policy: 'all-at-once' } },
  { name: 'immutable', deploy: { policy: 'immutable' } },
  { name: 'canary', deploy: { policy: 'canary', percent: 20, ...quick } },
  { name: 'linear', deploy: { policy: 'linear', percent: 50, ...quick } },
  { name: 'blue-green', deploy: { policy: 'blue-green', keep: '0s' } },
];
/** By night all of them; a canary moves traffic as `linear` does. */
const several = policies.filter(({ name }) => process.env.BELAY_NIGHTLY || name !== 'linear');
/** With one instance: in place is out of the question; of the others, one of each kind. */
const BY_DEFAULT = ['rolling by half, beside', 'linear', 'blue-green'];
const single = policies.filter(({ name, deploy }) =>
  process.env.BELAY_NIGHTLY ? deploy.extra !== 0 : BY_DEFAULT.includes(name),
);

let house: House;
let load: Load;
let versions = 0;
let failed = false;

const appOf = (deploy: AppOptions['deploy'], instances: number, variant = {}): string => {
  versions += 1;
  const capacity = { min: instances, max: 6, zones: ['a', 'b'] };
  const options: AppOptions = { capacity, drain: '2s', ...(deploy ? { deploy } : {}) };
  return house.app({ name: `v${versions}`, ...variant }, options);
};

async function begin(instances: number): Promise<void> {
  failed = false;
  house = new House();
  await house.start();
  await house.deployed(appOf(undefined, instances));
  await house.inService(instances);
  load = startLoad({
    port: await house.port(),
    host: 'numbers.localhost',
    ratePerSecond: 200,
    sockets: 0,
  });
}

async function end(): Promise<void> {
  load.kill();
  await house.close(failed);
}

afterEach(({ task }) => {
  failed ||= task.result?.state === 'fail';
});

interface Seen {
  deployment: DeploymentDetail;
  counts: LoadCounts;
}

/** Does it under load, and holds the client's count, the ledger and the receipt to each other. */
async function underLoad(act: () => Promise<DeploymentDetail>): Promise<Seen> {
  const before = { counts: await load.pause(), ledger: await house.ledger() };
  await load.send(20);
  const deployment = await act();
  await load.send(20);
  const counts = difference(before.counts, await load.pause());
  const account = ledgerDifference(before.ledger, await house.ledger());
  const { ok, 'app-error': errors } = account.outcomes;
  expect([ok + errors, errors]).toEqual([ended(counts), counts.failures.length]);
  expect(account.outcomes).toMatchObject({ lost: 0, cut: 0 });
  expect(deployment.receipt).toMatchObject({ lost: 0, cut: 0, unaccounted: 0 });
  expect(deployment.receipt?.requests).toBeLessThanOrEqual(ended(counts));
  return { deployment, counts };
}

async function withoutLoss(act: () => Promise<DeploymentDetail>): Promise<DeploymentDetail> {
  const { deployment, counts } = await underLoad(act);
  expect(deployment).toMatchObject({ state: 'succeeded', cause: null });
  expect(counts.failures).toEqual([]);
  return deployment;
}

describe('with three instances, under the load of an independent client', () => {
  beforeAll(() => begin(3));
  afterAll(end);

  test.each(several)('$name loses no request', { timeout: 600_000 }, async ({ name, deploy }) => {
    for (let i = 0; i < DEPLOYS; i += 1) {
      const act = () => house.deployed(appOf(deploy, 3));
      const { startedAt, endedAt, receipt } = await withoutLoss(act);
      console.log(`${name}: ${receipt?.requests} passed in ${(endedAt ?? 0) - startedAt} ms`);
    }
  });

  test('a rollback of a blue-green deployment is a flip', async () => {
    await withoutLoss(() => house.deployed(appOf({ policy: 'blue-green', keep: '1m' }, 3)));
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

  test('a canary that fails is undone, and few have met it', async () => {
    const deploy = { policy: 'canary', percent: 10, bake: '1m', minRequests: 50 };
    const bad = appOf(deploy, 3, { failPercent: 30 });
    const before = await house.ledger();
    const { deployment } = await underLoad(() => house.deployed(bad));
    const { state, cause, receipt, to } = deployment;
    expect(state).toBe('rolled-back');
    expect(cause).toMatch(/^\d+\.\d % of its requests fail, 0\.0 % of the old release's$/);
    const [exposed, total] = await exposure(before, to);
    expect(exposed).toBeGreaterThanOrEqual(50);
    // Of so few requests, a share of a tenth is known to four hundredths.
    expect(exposed / total).toBeLessThanOrEqual(0.15);
    console.log(`undone after ${receipt?.durationMs} ms: ${exposed} of ${total} requests met it`);
  });

  test('a rolling deployment that fails its users is undone', async () => {
    const bad = appOf({ policy: 'rolling', healthyFor: '5s' }, 3, { failPercent: 30 });
    const { deployment } = await underLoad(() => house.deployed(bad));
    expect(deployment).toMatchObject({
      state: 'rolled-back',
      cause: expect.stringMatching(/% of its requests fail, 0\.0 % of the old release's$/),
    });
  });

  test.skipIf(!process.env.BELAY_NIGHTLY)(
    'a canary that hardly anybody asks is no success',
    async () => {
      await load.send(1);
      const deploy = {
        policy: 'canary',
        percent: 20,
        bake: '1s',
        minRequests: 100,
        patience: '1s',
      };
      const number = await house.deploy(appOf(deploy, 3), { force: true });
      await load.pause();
      const { state, cause } = await house.settled(number);
      expect(state).toBe('rolled-back');
      expect(cause).toMatch(/^only \d+ of 100 requests to judge by, and nobody decided$/);
    },
  );
});

/** Of all requests since then, those that met a release. */
async function exposure(before: LedgerReading, number: number): Promise<[number, number]> {
  const later = await house.ledger();
  const of = ({ rows }: LedgerReading, isCounted: (release: number | null) => boolean): number =>
    rows.reduce(
      (sum, { release, outcomes }) =>
        isCounted(release) ? sum + outcomes.ok + outcomes['app-error'] : sum,
      0,
    );
  const since = (isCounted: (release: number | null) => boolean) =>
    of(later, isCounted) - of(before, isCounted);
  return [since((release) => release === number), since(() => true)];
}

describe('with one instance, under the load of an independent client', () => {
  beforeAll(() => begin(1));
  afterAll(end);

  test.each(single)('$name loses no request', { timeout: 600_000 }, async ({ deploy }) => {
    for (let i = 0; i < (process.env.BELAY_NIGHTLY ? DEPLOYS : 1); i += 1) {
      await withoutLoss(() => house.deployed(appOf(deploy, 1)));
    }
  });
});
