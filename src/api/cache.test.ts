import type { Hono } from 'hono';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import { silentLog } from '../kernel/log.ts';
import { noCacheCounts } from '../model/cache.ts';
import { createApi } from './server.ts';

const PATH = '/v1/applications/shop/environments/production/cache/purges';

let simulated: SimulatedControl;
let api: Hono;

beforeEach(async () => {
  simulated = new SimulatedControl();
  await simulated.start();
  const cache = { rules: [], onDeploy: 'switch' } as const;
  await simulated.deploy('one', {
    traffic: { ...configuration.traffic, cache: { ...cache, rules: [] } },
  });
  await simulated.settled();
  const { control, clock } = simulated;
  api = createApi({ control, clock, log: silentLog, stop: () => {} });
});
afterEach(() => simulated[Symbol.asyncDispose]());

async function purge(body: object) {
  const answer = await api.request(PATH, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, value: (await answer.json()) as Record<string, unknown> };
}

it('purges what is named, and answers when it is in force', async () => {
  const purges = [{ kind: 'path', value: '/a' }, { kind: 'everything' }];
  expect(await purge({ purges: purges.slice(0, 1), by: 'ann' })).toMatchObject({
    status: 200,
    value: { number: 1, snapshot: simulated.edge.snapshot?.number, workers: 1 },
  });
  expect(simulated.edge.snapshot?.rules[0]?.cache?.purges).toEqual([{ number: 1, ...purges[0] }]);
  expect((await purge({ purges: purges.slice(1) })).value).toMatchObject({ number: 2 });
});

it('purges nothing of what is malformed', async () => {
  for (const purges of [
    [],
    [{ kind: 'path', value: 'a' }],
    [{ kind: 'file', value: '/a' }],
    null,
  ]) {
    expect(await purge({ purges })).toMatchObject({ status: 400 });
  }
  expect(simulated.store.environments()[0]?.cachePurges.last).toBe(0);
});

it('answers 409 where nothing is kept', async () => {
  await simulated.deploy('two');
  await simulated.settled();
  expect(await purge({ purges: [{ kind: 'everything' }] })).toMatchObject({
    status: 409,
    value: { fault: { code: 'no-cache' } },
  });
});

it('tells what caches have done and what they keep', async () => {
  const counts = { ...noCacheCounts(), hits: 3 };
  simulated.edge.setLedger({
    ...{ rows: [], unaccounted: 0, inFlight: 0, tunnels: 0 },
    cache: { 'shop/production': counts },
  });
  simulated.edge.setCacheRoom({ count: 2, sizeBytes: 900 }, { count: 5, sizeBytes: 7_000 });
  const answer = await api.request('/v1/caches');
  expect(await answer.json()).toMatchObject({
    environments: [{ application: 'shop', policy: { onDeploy: 'switch' }, counts, purges: 0 }],
    workers: [{ memory: { count: 2, sizeBytes: 900 } }],
    disk: { count: 5, sizeBytes: 7_000 },
    memoryBoundBytes: simulated.control.queries.edgeSettings().settings.cacheMemoryBytes,
  });
});
