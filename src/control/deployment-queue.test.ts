import { describe, expect, it } from 'vitest';
import {
  configuration,
  deployRequest,
  SimulatedControl,
} from '../../test/support/simulated-control.ts';
import type { Fault } from '../kernel/fault.ts';
import { parseWindow } from '../model/window.ts';

async function running(): Promise<SimulatedControl> {
  const simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await simulated.settled();
  return simulated;
}

const faultOf = async (work: () => unknown): Promise<Fault> => {
  try {
    await work();
  } catch (fault) {
    return fault as Fault;
  }
  throw new Error('it was not refused');
};

const queue = { otherwise: 'queue' } as const;
const queued = (simulated: SimulatedControl, digest: string) =>
  simulated.ask(deployRequest(digest), queue);

const tickets = (simulated: SimulatedControl) =>
  simulated.control.operations.tickets('shop', 'production', 100).reverse();

const states = (simulated: SimulatedControl) => tickets(simulated).map(({ state }) => state);

const eventTypes = (simulated: SimulatedControl) =>
  simulated.store.events({ after: 0, limit: 10_000 }).map(({ type }) => type);

/** Until nothing runs and nothing waits. */
const finished = (simulated: SimulatedControl) =>
  simulated.until('all is done', () => {
    const idle = !/^r.*ing$/.test(simulated.deployment()?.state ?? '');
    return idle && !states(simulated).includes('waiting');
  });

describe('the queue', () => {
  it('starts what waits in order, each when the one before has ended', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    const { deployment, ticket } = await queued(simulated, 'three');
    await simulated.ask({ kind: 'env', set: { LEVEL: 'debug' }, unset: [] }, queue);
    await simulated.ask({ kind: 'restart' }, queue);
    expect(deployment).toBeNull();
    expect(ticket).toMatchObject({ number: 1, kind: 'deploy', state: 'waiting' });
    expect((await simulated.status()).waiting.map(({ kind }) => kind)).toEqual([
      'deploy',
      'env',
      'restart',
    ]);
    await finished(simulated);
    const ended = simulated.store.deployments('shop/production', 10).reverse();
    expect(ended.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'deploy succeeded',
      'deploy succeeded',
      'deploy succeeded',
      'env succeeded',
      'restart succeeded',
    ]);
    expect(tickets(simulated).map((each) => each.deployment)).toEqual([3, 4, 5]);
    expect((await simulated.status()).version).toBe('v3');
    expect(simulated.control.queries.variables('shop', 'production')).toMatchObject([
      { name: 'LEVEL', value: 'debug' },
    ]);
  });

  it('goes on when the one before was rolled back or aborted', async () => {
    await using simulated = await running();
    simulated.behaviours.set('bad', { exits: { afterMs: 50, code: 3 } });
    await simulated.deploy('bad');
    await queued(simulated, 'good');
    await finished(simulated);
    expect(await simulated.status()).toMatchObject({ health: 'ok', version: 'v3' });
    await simulated.deploy('next');
    await queued(simulated, 'last');
    await simulated.clock.advance(100);
    simulated.control.operations.abort('shop', 'production');
    await finished(simulated);
    expect((await simulated.status()).version).toBe('v5');
  });

  it('waits over the end of a daemon, at whatever boundary it died', async () => {
    let died = true;
    for (let boundary = 1; died; boundary += 7) {
      await using simulated = await running();
      await simulated.deploy('two');
      await queued(simulated, 'three');
      await simulated.control.close();
      await simulated.start(boundary);
      await simulated.until(
        'it dies or is done',
        () => simulated.crashed || (states(simulated)[0] === 'started' && isIdle(simulated)),
      );
      died = simulated.crashed;
      if (died) await simulated.start();
      await finished(simulated);
      expect(simulated.store.deployments('shop/production', 10)).toHaveLength(3);
      expect((await simulated.status()).version).toBe('v3');
    }
  });

  it('is bounded', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    for (let count = 0; count < 10; count += 1) await queued(simulated, `more-${count}`);
    const fault = await faultOf(() => queued(simulated, 'one-too-many'));
    expect(fault).toMatchObject({ code: 'queue-full', retryable: true });
    expect(fault.hint).toMatch(/belay queue cancel N .*--replace/);
  });

  it('lets the newest deploy take the place of those that wait, and of nothing else', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await queued(simulated, 'three');
    await simulated.ask({ kind: 'restart' }, queue);
    await simulated.ask(deployRequest('four'), { otherwise: 'replace' });
    expect(states(simulated)).toEqual(['replaced', 'waiting', 'waiting']);
    await finished(simulated);
    expect((await simulated.status()).version).toBe('v3');
    expect(simulated.store.versions('shop').map(({ digest }) => digest)).not.toContain('three');
  });

  it('lets go of what is cancelled, once', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await queued(simulated, 'three');
    const { operations } = simulated.control;
    expect(operations.cancel('shop', 'production', 1, 'ann')).toMatchObject({
      state: 'cancelled',
      reason: 'by ann',
    });
    const cancel = (number: number) => () => operations.cancel('shop', 'production', number, null);
    expect((await faultOf(cancel(1))).code).toBe('ticket-ended');
    expect((await faultOf(cancel(2))).code).toBe('unknown-ticket');
    await finished(simulated);
    expect((await simulated.status()).version).toBe('v2');
  });

  it('says why one could not start when its turn came, and goes on with the next', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await simulated.ask({ kind: 'rollback', to: 'v9' }, queue);
    await queued(simulated, 'three');
    await finished(simulated);
    expect(tickets(simulated)).toMatchObject([
      { state: 'refused', reason: 'there is no version v9 of shop' },
      { state: 'started' },
    ]);
    expect(eventTypes(simulated)).toContain('queued-refused');
  });

  it('ends with its environment', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await queued(simulated, 'three');
    simulated.control.operations.terminate('shop', 'production');
    expect(states(simulated)).toEqual(['cancelled']);
  });

  it('names who holds the environment, since when and on whose behalf', async () => {
    await using simulated = await running();
    await simulated.ask(deployRequest('two'), { by: 'ann', message: 'faster' });
    const fault = await faultOf(() => simulated.deploy('three'));
    expect(fault.message).toMatch(/^deploy 2 of .* is running since 2026-.*, asked for by ann$/);
    expect(fault.hint).toMatch(/belay attach.*--abort.*--queue/);
    expect((await simulated.status()).deployment).toMatchObject({ by: 'ann', message: 'faster' });
  });
});

const isIdle = (simulated: SimulatedControl): boolean =>
  !/^r.*ing$/.test(simulated.deployment()?.state ?? '');

describe('a freeze', () => {
  const frozen = async (until: number | null = null): Promise<SimulatedControl> => {
    const simulated = await running();
    const freeze = { by: 'ann', reason: 'release week', until };
    simulated.control.operations.freeze('shop', 'production', freeze);
    return simulated;
  };

  it('refuses what is new, with its reason', async () => {
    await using simulated = await frozen();
    const env = { kind: 'env', set: { A: '1' }, unset: [] } as const;
    for (const request of [deployRequest('two'), env]) {
      const fault = await faultOf(() => simulated.ask(request));
      expect(fault.code).toBe('deployments-frozen');
      expect(fault.message).toMatch(/frozen by ann since 2026-.*: release week$/);
      expect(fault.hint).toMatch(/belay unfreeze.*--queue.*--force/);
    }
    expect((await simulated.status()).freeze).toMatchObject({ by: 'ann' });
  });

  it('never stands in the way of a rollback or a restart', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    await simulated.settled();
    simulated.control.operations.freeze('shop', 'production', {
      by: null,
      reason: null,
      until: null,
    });
    await queued(simulated, 'three');
    await simulated.ask({ kind: 'rollback', to: null });
    expect(await simulated.settled()).toMatchObject({ kind: 'rollback', state: 'succeeded' });
    await simulated.ask({ kind: 'restart' });
    expect((await simulated.settled()).state).toBe('succeeded');
    expect(states(simulated)).toEqual(['waiting']);
  });

  it('lets what runs go on', async () => {
    await using simulated = await running();
    await simulated.deploy('two');
    simulated.control.operations.freeze('shop', 'production', {
      by: null,
      reason: null,
      until: null,
    });
    expect((await simulated.settled()).state).toBe('succeeded');
  });

  it('is overridden by force, which is on record', async () => {
    await using simulated = await frozen();
    await simulated.ask(deployRequest('two'), { force: true, by: 'bob' });
    const { overrides } = await simulated.settled();
    expect(overrides).toEqual([expect.stringMatching(/^frozen by ann/)]);
    const forced = simulated.store
      .events({ after: 0, limit: 1_000 })
      .find(({ type }) => type === 'deployment-forced');
    expect(forced?.message).toMatch(/^deploy 2 was started all the same by bob: frozen by ann/);
  });

  it('does not refuse what would change nothing', async () => {
    await using simulated = await frozen();
    const nothing = { deployment: null, ticket: null };
    expect(await simulated.ask({ ...deployRequest('one'), unchanged: 'skip' })).toEqual(nothing);
    expect(await simulated.ask({ kind: 'env', set: {}, unset: ['A'] })).toEqual(nothing);
    const changed = { ...deployRequest('two'), unchanged: 'skip' } as const;
    expect((await faultOf(() => simulated.ask(changed))).code).toBe('deployments-frozen');
  });

  it('does not outlive its environment', async () => {
    await using simulated = await frozen();
    simulated.control.operations.terminate('shop', 'production');
    await simulated.until('it is gone', async () => (await simulated.runtime.list()).length === 0);
    await simulated.clock.advance(100);
    await simulated.deploy('two');
    expect((await simulated.settled()).state).toBe('succeeded');
    expect((await simulated.status()).freeze).toBeNull();
  });

  it('holds the queue until it is lifted', async () => {
    await using simulated = await frozen();
    await queued(simulated, 'two');
    await simulated.clock.advance(10_000);
    expect(states(simulated)).toEqual(['waiting']);
    simulated.control.operations.unfreeze('shop', 'production', 'ann');
    await finished(simulated);
    expect((await simulated.status()).version).toBe('v2');
    const again = () => simulated.control.operations.unfreeze('shop', 'production', 'ann');
    expect((await faultOf(again)).code).toBe('not-frozen');
  });

  it('ends by itself at its time', async () => {
    const start = Date.UTC(2026, 0, 1);
    await using simulated = await frozen(start + 60_000);
    await queued(simulated, 'two');
    await simulated.until('it is over', () => simulated.clock.now() >= start + 60_000);
    await finished(simulated);
    expect((await simulated.status()).freeze).toBeNull();
    const past = { by: null, reason: null, until: start };
    const fault = await faultOf(() =>
      simulated.control.operations.freeze('shop', 'production', past),
    );
    expect(fault.code).toBe('until-is-past');
  });
});

describe('windows', () => {
  /** The clock starts on Thursday, 1 January 2026, at midnight. */
  const windows = (text: string) => {
    const range = parseWindow(text);
    return { windows: { ranges: range ? [range] : [], timeZone: 'UTC' } };
  };

  it('refuse a deploy outside of them, and say when the next one opens', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    await simulated.deploy('one', windows('thu 00:02-00:03'));
    await simulated.settled();
    const fault = await faultOf(() => simulated.deploy('two'));
    expect(fault.code).toBe('outside-window');
    expect(fault.message).toContain('start only thu 00:02-00:03 (UTC)');
    expect(fault.hint).toMatch(/^the next one may start at 2026-01-01T00:02:00\.000Z/);
    expect(fault.details).toEqual({ opensAt: Date.UTC(2026, 0, 1, 0, 2) });
  });

  it('let what is queued start when they open', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    await simulated.deploy('one', windows('thu 00:01-00:03'));
    await simulated.settled();
    await simulated.ask(deployRequest('two', windows('daily 00:00-24:00')), queue);
    await finished(simulated);
    const { startedAt } = await simulated.settled();
    expect(startedAt - Date.UTC(2026, 0, 1, 0, 1)).toBeLessThan(1_500);
    expect(startedAt).toBeGreaterThanOrEqual(Date.UTC(2026, 0, 1, 0, 1));
    // The new ones hold from now on.
    await simulated.deploy('three');
  });
});

describe('a policy that does not suit', () => {
  const inPlace = { rollout: { ...configuration.rollout, batch: '100%', extra: 0 } } as const;

  it('is refused with an alternative, and leaves nothing behind', async () => {
    await using simulated = await running();
    const fault = await faultOf(() => simulated.deploy('two', inPlace));
    expect(fault).toMatchObject({ code: 'unsuitable-policy' });
    expect(fault.message).toContain('all 3 instances at once would be stopped');
    expect(fault.hint).toMatch(/batch: 2.*--force/);
    expect(simulated.store.versions('shop')).toHaveLength(1);
    expect(simulated.store.releases('shop/production')).toHaveLength(1);
  });

  it('is taken all the same when it is forced, and says so', async () => {
    await using simulated = await running();
    await simulated.ask(deployRequest('two', inPlace), { force: true });
    const deployment = await simulated.settled();
    expect(deployment).toMatchObject({ state: 'succeeded' });
    expect(deployment.overrides).toEqual([expect.stringContaining('would be stopped')]);
  });
});

describe('a change of variables', () => {
  it('obeys the policy of the release, and is undone as a deploy is', async () => {
    await using simulated = new SimulatedControl();
    await simulated.start();
    const rollout = { ...configuration.rollout, policy: 'immutable' } as const;
    await simulated.deploy('one', { rollout });
    await simulated.settled();
    simulated.behaviours.set('one', { exits: { afterMs: 50, code: 1 } });
    const before = (await simulated.status()).instances.map(({ id }) => id);
    await simulated.ask({ kind: 'env', set: { LEVEL: 'debug' }, unset: [] });
    const deployment = await simulated.settled();
    expect(deployment).toMatchObject({ kind: 'env', state: 'rolled-back', rollout });
    const steps = simulated.store.steps('shop/production', deployment.number);
    // One new instance first: nothing old was touched.
    expect(steps.filter(({ step }) => step.kind === 'launch')).toHaveLength(1);
    expect((await simulated.status()).instances.map(({ id }) => id)).toEqual(before);
    expect(simulated.control.queries.variables('shop', 'production')).toEqual([]);
  });
});
