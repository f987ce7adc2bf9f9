import { expect, it } from 'vitest';
import { SimulatedControl } from '../../test/support/simulated-control.ts';
import { DEFAULT_EDGE_SETTINGS } from '../model/edge-settings.ts';

async function running(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await simulated.settled();
  return simulated;
}

const twoWorkers = { ...DEFAULT_EDGE_SETTINGS, workers: 2 };

it('puts changed settings into force before it answers, and says what changed', async () => {
  await using simulated = await running();
  const before = simulated.edge.snapshot?.number ?? 0;
  const answer = await simulated.control.setEdgeSettings(twoWorkers);
  expect(simulated.edge.snapshot).toMatchObject({ number: before + 1, settings: twoWorkers });
  expect(answer).toEqual({ settings: twoWorkers, snapshot: before + 1 });
  const [event] = simulated.store.events({ after: 0, limit: 1 });
  expect(event?.message).toBe('the edge’s settings were changed: workers');
});

it('leaves the snapshot alone when nothing changes', async () => {
  await using simulated = await running();
  const before = simulated.edge.snapshot;
  await simulated.control.setEdgeSettings(DEFAULT_EDGE_SETTINGS);
  expect(simulated.edge.snapshot).toBe(before);
});

it('keeps settings over its lives, and the key that signs cookies, which nobody sees', async () => {
  await using simulated = await running();
  await simulated.control.setEdgeSettings(twoWorkers);
  const key = simulated.edge.snapshot?.cookieKey ?? '';
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  await simulated.control.close();
  await simulated.start();
  await simulated.deploy('two');
  await simulated.settled();
  expect(simulated.edge.snapshot).toMatchObject({ settings: twoWorkers, cookieKey: key });
  const shown = [
    simulated.control.queries.edgeSettings(),
    await simulated.control.queries.daemon(),
    await simulated.control.queries.environments(),
    simulated.store.events({ after: 0, limit: 1_000 }),
  ];
  expect(JSON.stringify(shown)).not.toContain(key);
});

it('follows with settings that were changed while the edge was away', async () => {
  await using simulated = await running();
  simulated.edge.setReachable(false);
  await expect(simulated.control.setEdgeSettings(twoWorkers)).rejects.toMatchObject({
    code: 'edge-unreachable',
  });
  simulated.edge.setReachable(true);
  await simulated.until('the edge has them', () => simulated.edge.snapshot?.settings.workers === 2);
});
