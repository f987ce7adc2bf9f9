import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import type { Configuration } from '../model/configuration.ts';
import { DEFAULT_GROUP } from '../model/group.ts';

const where = { application: 'shop', environment: 'production' };

async function running(change: Partial<Configuration> = {}): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one', change);
  expect((await simulated.settled()).state).toBe('succeeded');
  return simulated;
}

async function instancesOf(simulated: SimulatedControl, state = 'in-service') {
  return (await simulated.status()).instances.filter((each) => each.state === state);
}

async function firstOf(simulated: SimulatedControl): Promise<string> {
  const [first] = await instancesOf(simulated);
  if (!first) throw new Error('nothing serves');
  return first.id;
}

const find = async (simulated: SimulatedControl, id: string) =>
  (await simulated.status()).instances.find((each) => each.id === id);

const stateOf = async (simulated: SimulatedControl, id: string) =>
  (await find(simulated, id))?.state ?? 'gone';

function faultOf(work: () => void): Fault {
  try {
    work();
  } catch (fault) {
    return fault as Fault;
  }
  throw new Error('it was not refused');
}

describe('protection', () => {
  it('keeps an instance when capacity shrinks, also over a life of the daemon', async () => {
    await using simulated = await running();
    const kept = await firstOf(simulated);
    simulated.control.operations.protect(where, [kept], true, 'ada');
    await simulated.control.close();
    await simulated.start();
    simulated.control.operations.scale('shop', 'production', { desired: 2 });
    await simulated.until(
      'two serve',
      async () => (await simulated.status()).instances.length === 2,
    );
    expect(await find(simulated, kept)).toMatchObject({ state: 'in-service', isProtected: true });
  });

  it('of all lets desired go down and nobody end, until one is released', async () => {
    await using simulated = await running();
    const ids = (await instancesOf(simulated)).map(({ id }) => id);
    simulated.control.operations.protect(where, ids, true, null);
    simulated.control.operations.scale('shop', 'production', { desired: 2 });
    await simulated.clock.advance(5_000);
    const status = await simulated.status();
    expect(status).toMatchObject({ capacity: { desired: 2 }, health: 'info' });
    expect(status.cause).toMatch(/3 instances in service, 2 desired: all are protected/);
    simulated.control.operations.protect(where, ids.slice(0, 1), false, null);
    await simulated.until(
      'it goes',
      async () => (await stateOf(simulated, ids[0] ?? '')) === 'gone',
    );
    expect(await instancesOf(simulated)).toHaveLength(2);
  });

  it('refuses all where one is not there, and says who is', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    const { operations } = simulated.control;
    const fault = faultOf(() => operations.protect(where, [id, 'i-00000000'], true, null));
    expect(fault.code).toBe('unknown-instance');
    expect(fault.hint).toContain(id);
    expect(await find(simulated, id)).toMatchObject({ isProtected: false });
  });
});

describe('standby', () => {
  it('takes an instance out of traffic, and desired down and up with it', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    simulated.control.operations.standby(where, id, false, 'ada');
    await simulated.until('standby', async () => (await stateOf(simulated, id)) === 'standby');
    expect(await simulated.status()).toMatchObject({
      health: 'ok',
      cause: '2 instances in service in 2 zones, 1 on standby by hand',
      capacity: { desired: 2 },
    });
    expect(await find(simulated, id)).toMatchObject({
      wish: 'standby',
      reason: 'on standby by hand',
      health: 'unused',
    });
    const target = simulated.edge.snapshot?.pools[0]?.targets.find((each) => each.id === id);
    expect(target?.state).toBe('standby');
    simulated.control.operations.resume(where, id, 'ada');
    await simulated.until('back', async () => (await stateOf(simulated, id)) === 'in-service');
    expect(await simulated.status()).toMatchObject({ capacity: { desired: 3 } });
    expect(await find(simulated, id)).toMatchObject({ wish: null });
    const events = simulated.control.queries.events({ after: 0, limit: 1_000 });
    expect(events.filter((each) => each.instance === id).map(({ type }) => type)).toEqual([
      ...['instance-launched', 'instance-in-service'],
      ...['instance-standby-asked', 'instance-draining', 'instance-standby'],
      ...['instance-resume-asked', 'instance-in-service'],
    ]);
  });

  it('with a substitute keeps as many in service, at every moment', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    let fewest = Number.POSITIVE_INFINITY;
    simulated.control.operations.standby(where, id, true, null);
    await simulated.until('standby', async () => {
      fewest = Math.min(fewest, (await instancesOf(simulated)).length);
      return (await stateOf(simulated, id)) === 'standby';
    });
    expect(fewest).toBe(3);
    expect(await instancesOf(simulated)).toHaveLength(3);
    expect(await simulated.status()).toMatchObject({ capacity: { desired: 3 } });
  });

  it('outlives daemons and deployments; another release is not resumed', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    simulated.control.operations.standby(where, id, false, null);
    await simulated.until('standby', async () => (await stateOf(simulated, id)) === 'standby');
    await simulated.control.close();
    await simulated.start();
    await simulated.deploy('two');
    expect((await simulated.settled()).state).toBe('succeeded');
    await simulated.clock.advance(60_000);
    expect(await stateOf(simulated, id)).toBe('standby');
    const { operations } = simulated.control;
    const fault = faultOf(() => operations.resume(where, id, null));
    expect(fault).toMatchObject({ code: 'release-left' });
    operations.replace(where, id, null);
    await simulated.until('it ends', async () => (await stateOf(simulated, id)) === 'gone');
    expect((await simulated.status()).instances).toHaveLength(2);
  });

  it('is refused where fewer than min would serve, and back where more than max would', async () => {
    await using simulated = await running({
      web: { ...configuration.web, capacity: { min: 3, desired: 3, max: 3 } },
    });
    const id = await firstOf(simulated);
    const { operations } = simulated.control;
    expect(faultOf(() => operations.standby(where, id, false, null))).toMatchObject({
      code: 'bad-capacity',
      message: `without ${id} there are 2, fewer than min 3 of shop/production`,
      hint: `to have another serve in its place, use: belay instance standby ${id} --replace --app shop`,
    });
    operations.standby(where, id, true, null);
    await simulated.until('standby', async () => (await stateOf(simulated, id)) === 'standby');
    expect(faultOf(() => operations.resume(where, id, null))).toMatchObject({
      code: 'bad-capacity',
      hint: `make room with: belay scale --max 4 --app shop, or end it with: belay instance replace ${id} --app shop`,
    });
    expect(await stateOf(simulated, id)).toBe('standby');
  });

  it('is taken back before it has begun as if nobody had asked', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    simulated.control.operations.standby(where, id, true, null);
    simulated.control.operations.resume(where, id, null);
    await simulated.clock.advance(5_000);
    expect(await find(simulated, id)).toMatchObject({ state: 'in-service', wish: null });
    expect(await simulated.status()).toMatchObject({ capacity: { desired: 3 } });
    expect((await simulated.status()).instances).toHaveLength(3);
  });

  it('is not for one that drains or was not asked, nor amid a deployment', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    const { operations } = simulated.control;
    expect(faultOf(() => operations.resume(where, id, null)).code).toBe('not-on-standby');
    await simulated.deploy('two');
    for (const ask of ['standby', 'replace'] as const) {
      const asked = () =>
        ask === 'standby'
          ? operations.standby(where, id, true, null)
          : operations.replace(where, id, null);
      expect(faultOf(asked)).toMatchObject({ code: 'operation-in-progress' });
    }
    await simulated.settled();
  });
});

describe('replacing an instance', () => {
  it('drains it once another serves, and counts as no failure', async () => {
    await using simulated = await running();
    const id = await firstOf(simulated);
    simulated.control.operations.replace(where, id, null);
    await simulated.until('it is gone', async () => (await stateOf(simulated, id)) === 'gone');
    expect(await simulated.status()).toMatchObject({ health: 'ok', capacity: { desired: 3 } });
    expect(await instancesOf(simulated)).toHaveLength(3);
  });

  it('is carried on by the next daemon, at whatever boundary one dies', async () => {
    await using simulated = await running();
    let died = true;
    for (let boundary = 1; died; boundary += 3) {
      const id = await firstOf(simulated);
      await simulated.control.close();
      await simulated.start(boundary);
      simulated.control.operations.replace(where, id, null);
      const isGone = async () => !(await simulated.runtime.list()).some((slot) => slot.id === id);
      await simulated.until(
        'it dies or is done',
        async () => simulated.crashed || (await isGone()),
      );
      died = simulated.crashed;
      if (died) {
        await simulated.bury();
        await simulated.start();
      }
      await simulated.until('it is gone', isGone);
      expect(await instancesOf(simulated)).toHaveLength(3);
    }
  });
});

describe('a group that is replaced by its deep check', () => {
  it('replaces the one that fails while the others pass', async () => {
    await using simulated = await running({
      web: { ...configuration.web, group: { ...DEFAULT_GROUP, replace: 'deep' } },
    });
    const [sick = '', ...others] = (await instancesOf(simulated)).map(({ id }) => id);
    const pool = simulated.edge.snapshot?.pools[0]?.id ?? '';
    const well = { passed: true, description: '', parts: [] };
    const down = { passed: false, description: 'database: connection refused', parts: [] };
    for (const id of others) simulated.edge.setJudgement(pool, id, { deep: well });
    simulated.edge.setJudgement(pool, sick, { deep: down });
    await simulated.clock.advance(14_000);
    expect(await stateOf(simulated, sick)).toBe('in-service');
    await simulated.until('it is gone', async () => (await stateOf(simulated, sick)) === 'gone');
    expect(await instancesOf(simulated)).toHaveLength(3);
  });
});
