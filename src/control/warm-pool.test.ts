import { expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import { DEFAULT_GROUP, type Group } from '../model/group.ts';
import type { InstanceState } from '../model/instance.ts';
import { NO_SCALING } from '../model/scaling.ts';

const BOOT_MS = 3_000;

const grouped = (group: Partial<Group>) => ({
  web: {
    ...configuration.web,
    capacity: { min: 1, desired: 2, max: 2 },
    group: { ...DEFAULT_GROUP, ...group },
  },
});

/** Two serve, and one is kept warm. */
async function running(simulated = new SimulatedControl()): Promise<SimulatedControl> {
  simulated.behaviours.set('one', { bootMs: BOOT_MS });
  simulated.behaviours.set('two', { bootMs: BOOT_MS });
  await simulated.start();
  await simulated.deploy('one', grouped({ warm: 1 }));
  return simulated;
}

const idsIn = async (simulated: SimulatedControl, wanted: InstanceState) =>
  (await simulated.status()).instances.flatMap(({ id, state }) => (state === wanted ? [id] : []));

const isWhole = async (simulated: SimulatedControl) => {
  const states = (await simulated.status()).instances.map(({ state }) => state).sort();
  return states.join() === 'in-service,in-service,warmed';
};

const routedState = ({ edge }: SimulatedControl, id: string) =>
  edge.snapshot?.pools.flatMap(({ targets }) => targets).find((target) => target.id === id)?.state;

it('is beyond max, checked from its start, and never routed to before it serves', async () => {
  await using simulated = new SimulatedControl();
  const { publish } = simulated.edge;
  const seen = new Map<string, Set<string>>();
  simulated.edge.publish = (snapshot) => {
    for (const { id, state } of snapshot.pools.flatMap(({ targets }) => targets)) {
      seen.set(id, (seen.get(id) ?? new Set()).add(state));
    }
    return publish(snapshot);
  };
  await running(simulated);
  expect((await simulated.settled()).state).toBe('succeeded');
  expect(await idsIn(simulated, 'warmed')).toEqual([]);
  await simulated.until('the pool is full', () => isWhole(simulated));
  const [id = ''] = await idsIn(simulated, 'warmed');
  expect([...(seen.get(id) ?? [])]).toEqual(['standby']);
  const status = await simulated.status();
  expect(status).toMatchObject({ warm: 1, health: 'ok', capacity: { max: 2 } });
  const shown = status.instances.find((instance) => instance.id === id);
  expect(shown?.health).toBe('healthy');
  expect(Math.abs((shown?.boot?.bootMs ?? 0) - BOOT_MS)).toBeLessThan(100);
});

it('is routed to at once when another dies, and another is warmed', async () => {
  await using simulated = await running();
  await simulated.until('the pool is full', () => isWhole(simulated));
  const [id = ''] = await idsIn(simulated, 'warmed');
  const [victim = ''] = await idsIn(simulated, 'in-service');
  const before = simulated.clock.monotonic();
  simulated.runtime.kill(victim);
  await simulated.until('it is routed to', () => routedState(simulated, id) === 'active');
  expect(simulated.clock.monotonic() - before).toBeLessThan(100);
  await simulated.until('the pool is full', () => isWhole(simulated));
  const messages = simulated.store
    .events({ environment: 'shop/production', after: 0, limit: 1_000 })
    .filter(({ instance }) => instance === id)
    .map(({ type }) => type);
  expect(messages).toEqual(['instance-launched', 'instance-warmed', 'instance-in-service']);
});

it('replaces one that its checks say is sick', async () => {
  await using simulated = await running();
  await simulated.until('the pool is full', () => isWhole(simulated));
  const [id = ''] = await idsIn(simulated, 'warmed');
  simulated.edge.setHealth('shop/production#1', id, 'unhealthy', 'answered 500');
  await simulated.until('another is warm', async () => {
    const [warm] = await idsIn(simulated, 'warmed');
    return warm !== undefined && warm !== id;
  });
  expect(await idsIn(simulated, 'in-service')).toHaveLength(2);
});

it('makes decisions on capacity count on a flip while it is full, and on a boot while it fills', async () => {
  await using simulated = new SimulatedControl();
  simulated.behaviours.set('one', { bootMs: BOOT_MS });
  await simulated.start();
  const { web } = grouped({ warm: 1 });
  const track = {
    kind: 'track',
    metric: 'concurrency',
    source: null,
    target: 10,
    scaleIn: true,
  } as const;
  const scaling = { ...NO_SCALING, policies: [track] };
  await simulated.deploy('one', { web: { ...web, scaling } });
  const bootMs = async () => {
    const { decisions } = simulated.control.queries.scaling('shop', 'production', 1);
    return decisions[0]?.bootMs ?? 0;
  };
  await simulated.until('the pool is full', () => isWhole(simulated));
  await simulated.until('it counts on a flip', async () => (await bootMs()) < 1_000, 5_000);
  const [victim = ''] = await idsIn(simulated, 'in-service');
  simulated.runtime.kill(victim);
  await simulated.until('it counts on a boot', async () => (await bootMs()) >= BOOT_MS, 2_500);
});

it('is whole again wherever the daemon dies while it is filled and used', async () => {
  const dieAt = async (crashAt: number): Promise<boolean> => {
    await using simulated = await running();
    await simulated.until('the pool is full', () => isWhole(simulated));
    const [victim = ''] = await idsIn(simulated, 'in-service');
    await simulated.control.close();
    await simulated.start(crashAt);
    simulated.runtime.kill(victim);
    const isUp = async () => {
      const slots = await simulated.runtime.list();
      return slots.length === 3 && slots.every(({ listening }) => listening);
    };
    await simulated.until('it dies or has another', async () => simulated.crashed || isUp());
    await simulated.clock.advance(1_000);
    const { crashed } = simulated;
    if (crashed) await simulated.start();
    await simulated.until('the pool is full', () => isWhole(simulated));
    expect(await simulated.runtime.list()).toHaveLength(3);
    return crashed;
  };
  let boundary = 1;
  while (await dieAt(boundary)) boundary += process.env.BELAY_NIGHTLY ? 1 : 3;
  expect(boundary).toBeGreaterThan(5);
});
