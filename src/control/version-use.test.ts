import { describe, expect, it } from 'vitest';
import { deployRequest, SimulatedControl } from '../../test/support/simulated-control.ts';
import { planRemovals } from '../plan/lifecycle.ts';
import { Records } from './records.ts';
import { applicationVersions } from './version-use.ts';

async function deployed(...digests: string[]): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  for (const digest of digests) {
    await simulated.deploy(digest);
    expect((await simulated.settled()).state).toBe('succeeded');
  }
  return simulated;
}

const read = ({ store, clock }: SimulatedControl) =>
  applicationVersions('shop', new Records(store, clock), clock.now());

/** Why each bundle is needed, by digest. */
function reasons(simulated: SimulatedControl): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { digest, reason } of read(simulated).uses) {
    found[digest] = [...new Set([...(found[digest] ?? []), reason])];
  }
  return found;
}

describe('an environment needs', () => {
  it('what it runs, and the three before it to go back to', async () => {
    await using simulated = await deployed('a', 'b', 'c', 'd', 'e');
    const back = ['production can go back to it'];
    expect(reasons(simulated)).toEqual({
      e: ['production runs it'],
      ...{ d: back, c: back, b: back },
    });
  });

  it('what it is moving to and from, and what waits', async () => {
    await using simulated = await deployed('a', 'b');
    await simulated.deploy('c');
    await simulated.ask(deployRequest('d'), { otherwise: 'queue' });
    await simulated.ask({ kind: 'rollback', to: 'v1' }, { otherwise: 'queue' });
    const found = reasons(simulated);
    expect(found.c).toContain('production is moving to it');
    expect(found.b).toContain('production is moving from it');
    expect(found.d).toEqual(['production waits to deploy it']);
    expect(found.a).toContain('production waits to deploy it');
  });

  it('the bundle that waits although it is no version yet', async () => {
    await using simulated = await deployed('a', 'b');
    await simulated.deploy('c');
    await simulated.ask(deployRequest('d'), { otherwise: 'queue' });
    const stored = ['a', 'b', 'c', 'd', 'z'].map((digest) => ({ digest, storedAt: 0 }));
    const now = simulated.clock.now();
    const removed = planRemovals([read(simulated)], stored, new Set(), now);
    expect(removed.map(({ digest }) => digest)).toEqual(['z']);
  });

  it('what instances that are kept warm run', async () => {
    await using simulated = await deployed('a');
    const { rollout } = deployRequest('b').configuration;
    const blueGreen = { ...rollout, policy: 'blue-green', keepMs: 600_000 } as const;
    await simulated.deploy('b', { rollout: blueGreen });
    await simulated.settled();
    expect(reasons(simulated).a).toContain('production runs it');
  });

  it('no version that never was healthy, once it has gone back', async () => {
    await using simulated = await deployed('a');
    simulated.behaviours.set('bad', { exits: { afterMs: 50, code: 3 } });
    await simulated.deploy('bad');
    expect((await simulated.settled()).state).toBe('rolled-back');
    await simulated.until('its instances are gone', () => !('bad' in reasons(simulated)));
    expect(reasons(simulated)).toEqual({ a: ['production runs it'] });
  });

  it('what it last ran, for six weeks after it was terminated', async () => {
    await using simulated = await deployed('a', 'b');
    simulated.control.operations.terminate('shop', 'production');
    await simulated.until('it is gone', () => !('a' in reasons(simulated)));
    expect(reasons(simulated)).toEqual({ b: ['production can be rebuilt from it'] });
    simulated.clock.setWallClock(simulated.clock.now() + 42 * 86_400_000);
    expect(reasons(simulated)).toEqual({});
  });
});

describe('a version', () => {
  it('is as old as its last deployment', async () => {
    await using simulated = await deployed('a', 'b');
    await simulated.clock.advance(60_000);
    await simulated.ask({ kind: 'rollback', to: null });
    const since = simulated.deployment()?.startedAt;
    const [first] = read(simulated).versions.filter(({ label }) => label === 'v1');
    expect(first?.usedAt).toBe(since);
  });
});
