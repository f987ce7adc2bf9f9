import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.ts';
import type { DeploymentDetail } from '../../src/model/view.ts';
import type { Variant } from './support/app.ts';
import { House, where } from './support/house.ts';
import { until } from './support/until.ts';

/**
 * Operations that meet: each is allowed or refused, and a refusal names what is in the way and the
 * next command.
 */

const CAPACITY = { min: 1, desired: 2, max: 4, zones: ['a', 'b'] };
const QUICK = { capacity: CAPACITY, drain: '200ms' };
/** Slow to fail and slow to go back, so that there is time for something to meet it. */
const SLOW = { ...QUICK, stopGrace: '1s', deploy: { startTimeout: '3s' } };

describe('operations on one environment', () => {
  const house = new House();
  let someFailed = true;
  let versions = 0;

  beforeAll(async () => {
    await house.start();
    await house.deployed(house.app({ name: 'first' }, QUICK));
    someFailed = false;
  });

  afterEach(({ task }) => {
    someFailed ||= task.result?.state === 'fail';
  });

  afterAll(async () => {
    await house.close(someFailed);
  });

  const good = (): string => {
    versions += 1;
    return house.app({ name: `good-${versions}` }, QUICK);
  };

  /** A deployment that hangs in its start until its timeout, or until it is stopped. */
  const deployStuck = async (): Promise<number> => {
    versions += 1;
    const variant: Variant = { name: `stuck-${versions}`, listen: 'never', deaf: true, say: 1 };
    const number = await house.deploy(house.app(variant, SLOW));
    const logOfPending = async () => {
      const { instances } = await house.environment();
      const instance = instances.find(({ state }) => state === 'pending')?.id;
      const answer = await house.client.call('logs', { params: where, query: { instance } });
      return instance === undefined ? [] : (answer.instances[0]?.lines ?? []);
    };
    // From here on it does not hear SIGTERM.
    await until('one has begun', logOfPending, (lines) => lines.includes('line 1'));
    return number;
  };

  const abort = () => house.client.call('abort', { params: where, body: {} });
  const rollback = (to?: string | number) =>
    house.client.call('rollback', { params: where, body: to === undefined ? {} : { to } });
  const goingBack = (number: number): Promise<DeploymentDetail> => {
    const look = () => house.client.call('deployment', { params: { ...where, number } });
    return until('it goes back', look, ({ state }) => state === 'rolling-back');
  };

  test('rolling back with nothing to go back to is refused with what to do instead', async () => {
    const refusal = await refused(rollback());
    expect(refusal.code).toBe('nothing-to-roll-back-to');
    expect(refusal.message).toMatch(/no earlier release that differs from .* release 1/);
    expect(refusal.hint).toMatch(/belay deploy/);
  });

  test('aborting with nothing running is refused with what goes back', async () => {
    const refusal = await refused(abort());
    expect(refusal.code).toBe('nothing-to-abort');
    expect(refusal.hint).toMatch(/belay rollback/);
  });

  test('scaling beyond the bounds is refused with the command that moves them', async () => {
    const scale = (change: { desired?: number; min?: number; max?: number }) =>
      house.client.call('scale', { params: where, body: change });
    const above = await refused(scale({ desired: 9 }));
    expect(above).toMatchObject({ code: 'bad-capacity' });
    expect(above.message).toMatch(/9 is outside min 1 and max 4/);
    expect(above.hint).toMatch(/belay scale 9 --max 9/);
    const below = await refused(scale({ desired: 0 }));
    expect(below.hint).toMatch(/belay scale 0 --min 0/);
    const crossed = await refused(scale({ min: 3, max: 2 }));
    expect(crossed.message).toMatch(/min 3 is greater than max 2/);
    expect((await house.environment()).capacity).toEqual({ min: 1, desired: 2, max: 4 });
  });

  test('of two deployments at once one runs, and the other is told by whose name to wait', async () => {
    const [one, other] = await Promise.allSettled([house.deploy(good()), house.deploy(good())]);
    const [winner, loser] = one.status === 'fulfilled' ? [one, other] : [other, one];
    if (winner.status !== 'fulfilled' || loser.status !== 'rejected') {
      throw new Error(`expected one of two to run: ${one.status}, ${other.status}`);
    }
    expect(loser.reason).toMatchObject({ code: 'operation-in-progress', retryable: true });
    const refusal = loser.reason as Fault;
    expect(refusal.message).toMatch(new RegExp(`deploy ${winner.value} of .* is running since`));
    expect(refusal.hint).toMatch(/belay attach/);
    expect(refusal.hint).toMatch(/belay deploy --abort/);
    expect((await house.settled(winner.value)).state).toBe('succeeded');
  });

  test('everything that would change the release waits for a deployment', async () => {
    const number = await deployStuck();
    const variables = { set: { COLOUR: 'blue' }, unset: [] };
    const attempts = [
      refused(house.deploy(good())),
      refused(rollback()),
      refused(house.client.call('restart', { params: where, body: {} })),
      refused(house.client.call('setVariables', { params: where, body: variables })),
    ];
    for (const refusal of await Promise.all(attempts)) {
      expect(refusal).toMatchObject({
        code: 'operation-in-progress',
        details: { deployment: number, kind: 'deploy' },
      });
    }
    await abort();
    expect((await house.settled(number)).state).toBe('aborted');
  });

  test('a deployment while another is being aborted is refused without telling to abort it again', async () => {
    const number = await deployStuck();
    await abort();
    const refusal = await refused(house.deploy(good()));
    expect(refusal.code).toBe('operation-in-progress');
    expect(refusal.message).toMatch(new RegExp(`deploy ${number} of .* is going back since`));
    expect(refusal.hint).toMatch(/belay attach/);
    expect(refusal.hint).not.toMatch(/--abort/);
    const aborted = await house.settled(number);
    expect(aborted).toMatchObject({ state: 'aborted', receipt: { lost: 0 } });
    expect((await house.deployed(good())).state).toBe('succeeded');
  });

  test('aborting what goes back already is refused, with why it goes back', async () => {
    const number = await deployStuck();
    const { cause } = await goingBack(number);
    const refusal = await refused(abort());
    expect(refusal.code).toBe('already-going-back');
    expect(refusal.message).toContain(`deploy ${number}`);
    expect(refusal.message).toContain(cause);
    expect(refusal.hint).toMatch(/belay attach/);
    expect((await house.settled(number)).state).toBe('rolled-back');
  });

  test('aborting a rollback brings back what ran before it', async () => {
    const before = (await house.environment()).release;
    const { deployment } = await rollback();
    await abort();
    const ended = await house.settled(deployment?.number ?? 0);
    expect(ended.kind).toBe('rollback');
    expect(ended.state).toBe('aborted');
    const view = await house.inService(2);
    expect(view).toMatchObject({ release: before, status: 'ready' });
  });

  test('scaling during a deployment counts for where it ends', async () => {
    const number = await deployStuck();
    await house.client.call('scale', { params: where, body: { desired: 3 } });
    await abort();
    await house.settled(number);
    await house.inService(3);
    await house.client.call('scale', { params: where, body: { desired: 2 } });
    await house.inService(2);
  });

  test('the command line says the same, with exit code 1', async () => {
    const number = await deployStuck();
    const refusal = await house.belay(['deploy', good()]);
    expect(refusal.code).toBe(1);
    expect(refusal.stderr).toMatch(new RegExp(`deploy ${number} of .* is running since`, 'i'));
    expect(refusal.stderr).toMatch(/belay deploy --abort/);
    await abort();
    await house.settled(number);
  });

  // Last, because nothing is left after it.
  test('terminating during a deployment ends both, and the environment can come back', async () => {
    const number = await deployStuck();
    await house.client.call('terminate', { params: where, body: {} });
    const refusal = await refused(house.deploy(good()));
    expect(refusal.code).toBe('environment-terminating');
    expect(refusal.hint).toMatch(/belay up/);
    const look = () => house.client.call('environments');
    await until('it is terminated', look, (seen) => seen.environments.length === 0);
    expect(house.instanceProcesses()).toEqual([]);
    expect((await refused(house.environment())).code).toBe('unknown-environment');

    expect((await house.deployed(good())).state).toBe('succeeded');
    const again = await house.client.call('deployment', { params: { ...where, number } });
    expect(again).toMatchObject({ state: 'aborted', cause: 'the environment was terminated' });
  });
});

async function refused(attempt: Promise<unknown>): Promise<Fault> {
  try {
    await attempt;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
}
