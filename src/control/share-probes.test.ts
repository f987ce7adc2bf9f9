import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';

/** A canary in an environment that nobody asks for anything. */

const canary = {
  rollout: {
    ...configuration.rollout,
    policy: 'canary' as const,
    bakeMs: 30_000,
    patienceMs: 20_000,
    probes: ['/', '/products'],
  },
};

interface Asking {
  simulated: SimulatedControl;
  /** By port: what was asked for. */
  asked: Map<number, string[]>;
}

/** Release 1 runs; of each version it is said which of its probes fail. */
async function running(fails: (digest: string, path: string) => boolean): Promise<Asking> {
  const simulated = new SimulatedControl();
  const asked = new Map<number, string[]>();
  simulated.prober = async ({ port }, path) => {
    asked.set(port, [...(asked.get(port) ?? []), path]);
    const slots = await simulated.runtime.list();
    const instance = slots.find((slot) => slot.port === port)?.id ?? '';
    const { instances } = await simulated.status();
    const isOld = instances.some(({ id, release }) => id === instance && release === 1);
    return { failed: fails(isOld ? 'one' : 'two', path), us: 5_000 };
  };
  await simulated.start();
  await simulated.deploy('one');
  await simulated.settled();
  return { simulated, asked };
}

describe('a canary without traffic', () => {
  it('passes by its probes, which are in no receipt, and asks two instances', async () => {
    const { simulated, asked } = await running(() => false);
    await using _ = simulated;
    await simulated.deploy('two', canary);
    const { state, receipt } = await simulated.settled();
    expect(state).toBe('succeeded');
    expect(receipt?.requests).toBe(0);
    expect(asked.size).toBe(2);
    for (const paths of asked.values()) {
      expect(paths.length).toBeGreaterThanOrEqual(100);
      expect(paths.length).toBeLessThan(140);
      expect(paths.slice(0, 3)).toEqual(['/', '/products', '/']);
    }
  });

  it('goes back when its probes fail and those of the old release do not', async () => {
    const { simulated, asked } = await running((digest, path) => digest === 'two' && path !== '/');
    await using _ = simulated;
    await simulated.deploy('two', canary);
    const { state, cause } = await simulated.settled();
    expect(state).toBe('rolled-back');
    expect(cause).toContain('of its requests and probes fail');
    // As soon as it shows, and not when the share has been baked.
    expect(Math.max(...[...asked.values()].map((paths) => paths.length))).toBeLessThan(140);
  });

  it('asks nobody any more once it has ended', async () => {
    const { simulated, asked } = await running(() => false);
    await using _ = simulated;
    await simulated.deploy('two', canary);
    await simulated.settled();
    const count = () => [...asked.values()].flat().length;
    const before = count();
    await simulated.clock.advance(60_000);
    expect(count()).toBe(before);
  });

  it('stays inconclusive without probes, and goes back when nobody decides', async () => {
    const { simulated, asked } = await running(() => false);
    await using _ = simulated;
    await simulated.deploy('two', { rollout: { ...canary.rollout, probes: [] } });
    const { state, cause } = await simulated.settled();
    expect(state).toBe('rolled-back');
    expect(cause).toContain('only 0 of 100 requests to judge by');
    expect(asked.size).toBe(0);
  });
});
