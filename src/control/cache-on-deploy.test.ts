import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { CachePolicy } from '../model/cache.ts';
import type { Configuration } from '../model/configuration.ts';

const withCache = (onDeploy: CachePolicy['onDeploy'] | null): Partial<Configuration> => ({
  traffic: { ...configuration.traffic, cache: onDeploy && { rules: [], onDeploy } },
});

async function deployed(onDeploy: CachePolicy['onDeploy'] | null): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  simulated.healths.set('bad', 'unhealthy');
  await simulated.start();
  await simulated.deploy('one', withCache(onDeploy));
  expect((await simulated.settled()).state).toBe('succeeded');
  return simulated;
}

const gone = ({ store }: SimulatedControl) => store.environments()[0]?.status === 'terminated';
const onRecord = ({ store }: SimulatedControl) => store.environments()[0]?.cachePurges;

describe('what is kept of answers', () => {
  it('is purged when a deployment has succeeded, and when one has gone back', async () => {
    await using simulated = await deployed('purge');
    expect(onRecord(simulated)).toEqual({ last: 1, upTo: 1, list: [] });
    await simulated.deploy('two', withCache('purge'));
    expect((await simulated.settled()).state).toBe('succeeded');
    expect(onRecord(simulated)).toEqual({ last: 2, upTo: 2, list: [] });
    await simulated.deploy('bad', withCache('purge'));
    expect((await simulated.settled()).state).toBe('rolled-back');
    expect(onRecord(simulated)).toEqual({ last: 3, upTo: 3, list: [] });
    expect(simulated.edge.snapshot?.rules[0]?.cache).toMatchObject({ purgedUpTo: 3, purges: [] });
    const events = simulated.store.events({ after: 0, limit: 1_000 });
    expect(
      events.filter(({ type }) => type === 'cache-purged').map(({ message }) => message),
    ).toEqual(
      [1, 2, 3].map((n) => `purged everything from the cache, because deploy ${n} has ended`),
    );
  });

  it.each(['switch', 'keep', null] as const)('is not purged under %s', async (onDeploy) => {
    await using simulated = await deployed(onDeploy);
    expect(onRecord(simulated)).toEqual({ last: 0, upTo: 0, list: [] });
  });

  it('is that of the release, and a rollback finds the old again', async () => {
    await using simulated = await deployed('switch');
    const kept = () => simulated.edge.snapshot?.rules[0]?.cache?.release;
    expect(kept()).toBe(1);
    await simulated.deploy('two', withCache('switch'));
    await simulated.settled();
    expect(kept()).toBe(2);
    await simulated.ask({ kind: 'rollback', to: null });
    await simulated.settled();
    expect(kept()).toBe(1);
  });

  it('is not used by an environment that is brought back under its name', async () => {
    await using simulated = await deployed('keep');
    simulated.control.operations.terminate('shop', 'production');
    await simulated.until('it is gone', () => gone(simulated));
    await simulated.deploy('one', withCache('keep'));
    await simulated.settled();
    expect(onRecord(simulated)).toEqual({ last: 1, upTo: 1, list: [] });
  });
});
