import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.ts';
import type { DeploymentDetail } from '../../src/model/view.ts';
import type { AppOptions, Variant } from './support/app.ts';
import { House } from './support/house.ts';
import { listening } from './support/processes.ts';

/**
 * The daemon is killed at a boundary between two writes of a deployment, one boundary after the
 * other, and started again: it always ends where it would have ended without.
 */

const CAPACITY = { min: 1, desired: 2, max: 4, zones: ['a', 'b'] };
const QUICK = {
  capacity: CAPACITY,
  drain: '200ms',
  deploy: { startTimeout: '10s', healthyFor: '50ms' },
};
/** The quick suite takes some boundaries of the walk, the nightly takes all. */
const STRIDE = process.env.BELAY_NIGHTLY ? 1 : 5;

describe('the daemon killed at a step boundary', () => {
  let house: House;

  afterEach(async ({ task }) => {
    await house.close(task.result?.state === 'fail');
  });

  test('brings a good deployment to its end', { timeout: 900_000 }, async () => {
    house = new House();
    await walk((n) => ({ name: `good-${n}` }), 'succeeded');
  });

  test('brings a bad deployment back', { timeout: 900_000 }, async () => {
    house = new House();
    await walk((n) => ({ name: `bad-${n}`, crash: 'exit' }), 'rolled-back');
  });

  const nothing = 'node -e 0';
  const hooks = { migrate: nothing, postdeploy: nothing, bootstrap: nothing };

  test.skipIf(!process.env.BELAY_NIGHTLY).each([
    ['to its end', 'succeeded', hooks],
    ['back', 'rolled-back', { ...hooks, postdeploy: 'node --no-such-option' }],
  ])('brings a deployment with hooks %s', { timeout: 900_000 }, async (_, verdict, hooks) => {
    house = new House();
    await walk((n) => ({ name: `hooked-${n}` }), verdict, { ...QUICK, build: nothing, hooks });
  });

  /** Deploys again and again, crashing ever later, until a deployment gets through uncrashed. */
  async function walk(
    variantOf: (n: number) => Variant,
    verdict: string,
    options: AppOptions = QUICK,
  ): Promise<void> {
    await house.start();
    await house.deployed(house.app({ name: 'first' }, QUICK));
    await house.inService(2);
    const survived: number[] = [];
    for (let crashAt = 1; ; crashAt += STRIDE) {
      await house.killDaemon();
      await house.start(crashAt);
      const before = await house.environment();
      const { number, crashed } = await deployInto(house, house.app(variantOf(crashAt), options));
      if (crashed) await house.start();
      const deployment = await house.settled(number);
      expect(
        deployment.state,
        `crashed at ${crashAt}: ${deployment.cause} ${deployment.logTail}`,
      ).toBe(verdict);
      await expectConverged(deployment, before.release, crashAt);
      if (!crashed) break;
      survived.push(crashAt);
    }
    // The last one still has its drill ahead.
    await house.killDaemon();
    console.log(`${verdict} over crashes at boundaries ${survived.join(', ')}`);
    expect(survived.length).toBeGreaterThan(2);
  }

  async function expectConverged(
    { state, to, steps }: DeploymentDetail,
    releaseBefore: number | null,
    crashAt: number,
  ): Promise<void> {
    const what = `crashed at ${crashAt}`;
    const release = state === 'succeeded' ? to : releaseBefore;
    const view = await house.inService(2);
    expect(view, what).toMatchObject({ status: 'ready', release });
    expect(
      view.instances.map((instance) => instance.release),
      what,
    ).toEqual([release, release]);
    expect(
      steps.filter((entry) => entry.state === 'planned'),
      what,
    ).toEqual([]);
    for (const entry of steps) expect(entry.endedAt, what).not.toBeNull();
    const ids = view.instances.map(({ id }) => id).sort();
    expect(house.instanceProcesses(), what).toEqual(ids);
    expect(slotsOf(house), what).toEqual(ids);
    const ports = view.instances.map(({ port }) => port ?? 0).sort();
    expect(listening(house.instancePorts, house.home).sort(), what).toEqual(ports);
  }
});

/** The daemon may be gone before it can answer; the deployment is in the journal by then. */
async function deployInto(
  house: House,
  directory: string,
): Promise<{ number: number; crashed: boolean }> {
  const number = ((await house.environment()).deployment?.number ?? 0) + 1;
  try {
    await house.deploy(directory);
    await house.settled(number);
    return { number, crashed: false };
  } catch (thrown) {
    const cutOff = thrown instanceof Fault && thrown.code === 'daemon-unreachable';
    if (cutOff) await house.daemonEnded();
    if (house.runs) throw thrown;
    return { number, crashed: true };
  }
}

/** Names of the slots that the runtime keeps on disk. */
function slotsOf(house: House): string[] {
  return readdirSync(join(house.home, 'run')).sort();
}
