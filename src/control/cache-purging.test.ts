import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import { type CachePolicy, HONOUR_THE_APP } from '../model/cache.ts';
import { NO_CACHE_PURGES } from '../model/cache-purges.ts';
import type { PurgeRequest } from '../model/cache-view.ts';
import type { Configuration } from '../model/configuration.ts';

const KEY = 'shop/production';

const policy: CachePolicy = {
  rules: [
    { ...HONOUR_THE_APP, path: '/list*', query: { mode: 'only', names: ['page'] } },
    { ...HONOUR_THE_APP, path: '/*.css', query: { mode: 'except', names: ['utm_*'] } },
  ],
  onDeploy: 'keep',
};

const withCache = (cache: CachePolicy | null): Partial<Configuration> => ({
  traffic: { ...configuration.traffic, cache },
});

async function cached(cache: CachePolicy | null = policy): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one', withCache(cache));
  await simulated.settled();
  return simulated;
}

const purge = (simulated: SimulatedControl, ...asked: PurgeRequest[]) =>
  simulated.control.cache.purge('shop', 'production', asked, 'ann');

const refusal = async (work: Promise<unknown>): Promise<Fault> =>
  await work.then(
    () => {
      throw new Error('it was not refused');
    },
    (fault: Fault) => fault,
  );

const onRecord = ({ store }: SimulatedControl) => store.environments()[0]?.cachePurges;
const routed = ({ edge }: SimulatedControl) => edge.snapshot?.rules[0]?.cache;
const events = ({ store }: SimulatedControl) =>
  store
    .events({ after: 0, limit: 1_000 })
    .filter(({ type }) => type === 'cache-purged')
    .map(({ message }) => message);

const path = (value: string): PurgeRequest => ({ kind: 'path', value });
const prefix = (value: string): PurgeRequest => ({ kind: 'prefix', value });
const tag = (value: string): PurgeRequest => ({ kind: 'tag', value });
const everything: PurgeRequest = { kind: 'everything', value: '' };

describe('a purge', () => {
  it('is on record, in force and told when it returns', async () => {
    await using simulated = await cached();
    const before = simulated.edge.snapshot?.number ?? 0;
    const view = await purge(simulated, path('/a'), prefix('/assets/'), tag('catalog'));
    expect(view).toMatchObject({
      application: 'shop',
      environment: 'production',
      purged: [path('/a'), prefix('/assets/'), tag('catalog')],
      number: 3,
      snapshot: before + 1,
      workers: 1,
    });
    const list = [
      { number: 1, ...path('/a') },
      { number: 2, ...prefix('/assets/') },
      { number: 3, ...tag('catalog') },
    ];
    expect(onRecord(simulated)).toEqual({ last: 3, upTo: 0, list });
    expect(routed(simulated)).toMatchObject({ purgedUpTo: 0, purges: list });
    expect(events(simulated)).toEqual([
      'purged /a, /assets/* and the tag catalog from the cache, says ann',
    ]);
  });

  it('of everything takes the place of all before it, and numbers on', async () => {
    await using simulated = await cached();
    await purge(simulated, path('/a'));
    expect(await purge(simulated, everything)).toMatchObject({ number: 2 });
    expect(routed(simulated)).toMatchObject({ purgedUpTo: 2, purges: [] });
    expect(await purge(simulated, path('/b'))).toMatchObject({ number: 3 });
    expect(events(simulated)[1]).toBe('purged everything from the cache, says ann');
  });

  it('asked for again has the same effect again', async () => {
    await using simulated = await cached();
    await purge(simulated, path('/a'));
    await purge(simulated, path('/a'));
    expect(onRecord(simulated)?.list).toEqual([{ number: 2, ...path('/a') }]);
  });

  it('that ends with a star is of all that begins so', async () => {
    await using simulated = await cached();
    const { purged } = await purge(simulated, path('/assets/*'), prefix('/x*'), tag('a*'));
    expect(purged).toEqual([prefix('/assets/'), prefix('/x'), tag('a*')]);
  });

  it('of a path with parameters that do not count is of what is kept without them too', async () => {
    await using simulated = await cached();
    await purge(simulated, path('/list?page=2&by=price'), path('/a.css?utm_id=1'), path('/b?c=1'));
    expect(onRecord(simulated)?.list.map(({ value }) => value)).toEqual([
      '/list?page=2&by=price',
      '/list?page=2',
      '/a.css?utm_id=1',
      '/a.css',
      '/b?c=1',
    ]);
  });

  it('tells of many only the first', async () => {
    await using simulated = await cached();
    await purge(simulated, ...Array.from({ length: 8 }, (_, n) => path(`/${n}`)));
    expect(events(simulated)).toEqual([
      'purged /0, /1, /2, /3, /4 and 3 more from the cache, says ann',
    ]);
  });

  it('is on record while the edge cannot be reached, and in force when it is back', async () => {
    await using simulated = await cached();
    simulated.edge.setReachable(false);
    expect(await purge(simulated, path('/a'))).toMatchObject({
      number: 1,
      snapshot: null,
      workers: 0,
    });
    expect(routed(simulated)?.purges).toEqual([]);
    simulated.edge.setReachable(true);
    await simulated.until('it is in force', () => routed(simulated)?.purges.length === 1);
  });

  it('is in force in the next life when the daemon dies before it is', async () => {
    await using simulated = await cached();
    await simulated.control.close();
    await simulated.start(1);
    await refusal(purge(simulated, tag('catalog')));
    expect(simulated.crashed).toBe(true);
    expect(routed(simulated)?.purges).toEqual([]);
    await simulated.bury();
    await simulated.start();
    await simulated.until('it is in force', () => routed(simulated)?.purges.length === 1);
    expect(routed(simulated)?.purges).toEqual([{ number: 1, ...tag('catalog') }]);
    expect(events(simulated)).toHaveLength(1);
  });

  it('is refused where nothing is kept, and says how to turn that on', async () => {
    await using simulated = await cached(null);
    const fault = await refusal(purge(simulated, path('/a')));
    expect(fault).toMatchObject({ code: 'no-cache', subject: KEY });
    expect(fault.hint).toContain('edge.cache');
    expect(onRecord(simulated)).toEqual(NO_CACHE_PURGES);
  });

  it('is refused of what is not there', async () => {
    await using simulated = await cached();
    const fault = await refusal(simulated.control.cache.purge('shop', 'qa', [everything], null));
    expect(fault.code).toBe('unknown-environment');
  });
});

describe('a malformed purge', () => {
  it('is refused with all that is beside it, and nothing has changed', async () => {
    await using simulated = await cached();
    const before = simulated.edge.snapshot?.number;
    const fault = await refusal(purge(simulated, path('/a'), path('b'), tag('')));
    expect(fault.code).toBe('bad-purge');
    expect(onRecord(simulated)).toEqual(NO_CACHE_PURGES);
    expect(simulated.edge.snapshot?.number).toBe(before);
    expect(events(simulated)).toEqual([]);
  });
});
