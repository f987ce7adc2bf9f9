import { describe, expect, it, test } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';

const HOUR_MS = 3_600_000;
const rollout = { ...configuration.rollout, healthyMs: 1_000, startTimeoutMs: 5_000 };
const jumps = [
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
] as const;

/** Release 1 runs; release 2, whose instances take two seconds to boot, is on its way. */
async function deploying(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await simulated.settled();
  simulated.behaviours.set('two', { bootMs: 2_000 });
  await simulated.deploy('two', { rollout });
  return simulated;
}

const setClock = ({ clock }: SimulatedControl, byMs: number) =>
  clock.setWallClock(clock.now() + byMs);

/** How long it took by a clock that nobody sets. */
async function took(simulated: SimulatedControl, work: () => Promise<unknown>): Promise<number> {
  const before = simulated.clock.monotonic();
  await work();
  return simulated.clock.monotonic() - before;
}

async function undisturbedMs(): Promise<number> {
  await using simulated = await deploying();
  return await took(simulated, () => simulated.settled());
}

describe.each(jumps)('a clock set %s by an hour', (_, byMs) => {
  // While an instance boots, while one is being watched, and between two batches.
  it.each([500, 2_500, 4_000])('after %i ms of a deployment changes nothing', async (afterMs) => {
    await using simulated = await deploying();
    const tookMs = await took(simulated, async () => {
      await simulated.clock.advance(afterMs);
      setClock(simulated, byMs);
      const { state, startedAt, endedAt } = await simulated.settled();
      expect(state).toBe('succeeded');
      expect((endedAt ?? 0) - startedAt).toBeLessThan(30_000);
    });
    expect(Math.abs(tookMs - (await undisturbedMs()))).toBeLessThan(1_500);
  });

  it('while no daemon ran changes nothing', async () => {
    await using simulated = await deploying();
    await simulated.clock.advance(2_500);
    await simulated.control.close();
    setClock(simulated, byMs);
    await simulated.clock.advance(1_000);
    await simulated.start();
    const tookMs = await took(simulated, async () => {
      expect((await simulated.settled()).state).toBe('succeeded');
    });
    expect(tookMs).toBeLessThan(await undisturbedMs());
  });

  it('still lets an instance that never comes up fail after its time', async () => {
    await using simulated = await deploying();
    simulated.healths.set('three', 'initial');
    await simulated.settled();
    await simulated.deploy('three', { rollout });
    const tookMs = await took(simulated, async () => {
      await simulated.clock.advance(1_000);
      setClock(simulated, byMs);
      expect(await simulated.settled()).toMatchObject({
        state: 'rolled-back',
        cause: expect.stringContaining('was not healthy within 5 s'),
      });
    });
    expect(tookMs).toBeGreaterThan(4_900);
    expect(tookMs).toBeLessThan(7_000);
  });

  it('neither cuts a bake short nor draws out the patience behind it', async () => {
    await using simulated = await deploying();
    await simulated.settled();
    const canary = { ...rollout, policy: 'canary', bakeMs: 10_000, patienceMs: 20_000 } as const;
    simulated.behaviours.set('three', { bootMs: 100 });
    await simulated.deploy('three', { rollout: canary });
    const tookMs = await took(simulated, async () => {
      await simulated.clock.advance(5_000);
      expect(simulated.deployment()?.stage).toMatchObject({ percent: 10 });
      setClock(simulated, byMs);
      expect(await simulated.settled()).toMatchObject({
        state: 'rolled-back',
        cause: 'only 0 of 100 requests to judge by, and nobody decided',
      });
    });
    expect(tookMs).toBeGreaterThan(30_000);
    expect(tookMs).toBeLessThan(36_000);
  });
});

test('stamps of another start of the machine are not left in the future', async () => {
  await using simulated = await deploying();
  await simulated.clock.advance(500);
  await simulated.control.close();
  simulated.bootId = 'boot-2';
  setClock(simulated, -HOUR_MS);
  await simulated.start();
  const tookMs = await took(simulated, async () => {
    expect((await simulated.settled()).state).toBe('succeeded');
  });
  expect(tookMs).toBeLessThan(30_000);
});

test('a sick instance is replaced in its time, whatever the clock is set to', async () => {
  await using simulated = await deploying();
  await simulated.settled();
  const [victim] = (await simulated.status()).instances;
  const pool = 'shop/production#2';
  simulated.edge.setHealth(pool, victim?.id ?? '', 'unhealthy');
  await simulated.clock.advance(5_000);
  setClock(simulated, -HOUR_MS);
  const gone = async () =>
    !(await simulated.status()).instances.some(
      ({ id, state }) => id === victim?.id && state === 'in-service',
    );
  const tookMs = await took(simulated, () => simulated.until('it is replaced', gone));
  expect(tookMs).toBeLessThan(20_000);
});
