import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../src/model/step.ts';
import { House, where } from './support/house.ts';
import { until } from './support/until.ts';

/** What is foretold, queued and frozen, on real processes and over the end of a real daemon. */

const CAPACITY = { min: 1, desired: 3, max: 4, zones: ['a', 'b'] };
const QUICK = { capacity: CAPACITY, drain: '200ms' };

describe('deployments on a real machine', () => {
  const house = new House();
  let someFailed = true;
  let versions = 0;

  const next = (): string => {
    versions += 1;
    return house.app({ name: `version-${versions}` }, QUICK);
  };

  beforeAll(async () => {
    await house.start();
    await house.deployed(next());
    await house.deployed(next());
    someFailed = false;
  });

  afterEach(({ task }) => {
    someFailed ||= task.result?.state === 'fail';
  });

  afterAll(async () => {
    await house.close(someFailed);
  });

  const kinds = (steps: readonly { step: Step }[]) => steps.map(({ step }) => step.kind).sort();

  test('a dry run tells the steps that are then taken, and their time', async () => {
    const directory = next();
    const dry = await house.belay(['deploy', directory, '--dry-run', '--json']);
    expect(dry.code).toBe(0);
    const { forecast, files } = JSON.parse(dry.stdout);
    expect(files.changed.length + files.added.length).toBeGreaterThan(0);
    const real = await house.belay(['deploy', directory, '--json']);
    expect(real.code).toBe(0);
    const { steps, receipt } = JSON.parse(real.stdout);
    expect(kinds(forecast.steps)).toEqual(kinds(steps));
    expect(forecast.totalMs).toBeGreaterThan(receipt.durationMs / 2.5);
    expect(forecast.totalMs).toBeLessThan(receipt.durationMs * 2.5);
  });

  test('what is queued outlives the daemon and starts by itself', async () => {
    const running = await house.deploy(next());
    const queued = await house.belay(['deploy', next(), '--queue', '--detach', '--json']);
    expect(JSON.parse(queued.stdout)).toMatchObject({ detached: true, queued: 1 });
    await house.killDaemon();
    await house.start();
    const look = () => house.client.call('tickets', { params: where });
    const { tickets } = await until(
      'it has started',
      look,
      (answer) => answer.tickets[0]?.state === 'started',
    );
    const ended = await house.settled(tickets[0]?.deployment ?? 0);
    expect(ended).toMatchObject({ number: running + 1, state: 'succeeded' });
    expect(ended.by).not.toBeNull();
  });

  test('a freeze refuses what is new and lets a rollback pass', async () => {
    expect((await house.belay(['freeze', 'release week'])).code).toBe(0);
    const refused = await house.belay(['deploy', next()]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('release week');
    expect((await house.belay(['rollback'])).code).toBe(0);
    const forced = await house.belay(['deploy', next(), '--force', '-m', 'a cure', '--json']);
    expect(forced.code).toBe(0);
    const { deployment } = await house.environment();
    expect(deployment).toMatchObject({ message: 'a cure' });
    expect(deployment?.overrides).toEqual([expect.stringContaining('release week')]);
    expect((await house.belay(['unfreeze'])).code).toBe(0);
  });
});
