import { describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../test/support/simulated-control.ts';
import type { Configuration } from '../model/configuration.ts';
import { DEFAULT_GROUP } from '../model/group.ts';
import type { ScalingPolicy } from '../model/scaling.ts';
import { NO_SCALING } from '../model/scaling.ts';
import { poolId } from '../model/snapshot.ts';

const KEY = 'shop/production';
const trackConcurrency: ScalingPolicy = {
  kind: 'track',
  metric: 'concurrency',
  source: null,
  target: 10,
  scaleIn: true,
};
const IDLE_MS = 12_000;

/** Without a request for twelve seconds, nothing runs. */
function sleepy(change: Partial<Configuration['web']> = {}): Partial<Configuration> {
  const capacity = { min: 0, desired: 0, max: 4 };
  const group = { ...DEFAULT_GROUP, idleMs: IDLE_MS };
  return { web: { ...configuration.web, capacity, group, ...change } };
}

class Sleepy extends SimulatedControl {
  static async deployed(change = sleepy()): Promise<Sleepy> {
    const simulated = new Sleepy();
    await simulated.start();
    await simulated.deploy('one', change);
    expect((await simulated.settled()).state).toBe('succeeded');
    return simulated;
  }

  static async asleep(change = sleepy()): Promise<Sleepy> {
    const simulated = await Sleepy.deployed(change);
    await simulated.fallsAsleep();
    return simulated;
  }

  async fallsAsleep(): Promise<void> {
    await this.until('nothing runs', async () => (await this.runtime.list()).length === 0);
    expect(this.desired).toBe(0);
  }

  async wakes(instances = 1): Promise<void> {
    const up = async () => {
      const states = (await this.status()).instances.map(({ state }) => state);
      return states.length === instances && states.every((state) => state === 'in-service');
    };
    await this.until(`${instances} in service`, up);
  }

  get desired(): number | undefined {
    return this.store.environments().find(({ key }) => key === KEY)?.capacity.desired;
  }

  get wake() {
    return this.edge.snapshot?.rules[0]?.wake;
  }

  events(type: string): string[] {
    const all = this.control.queries.events({ after: 0, limit: 1_000 });
    return all.filter((event) => event.type === type).map(({ message }) => message);
  }

  /** A request comes to what is asleep. */
  async request(): Promise<void> {
    this.edge.setWanted([KEY]);
    await this.clock.advance(1);
  }
}

describe('an environment that nobody wants', () => {
  it('takes nobody who asks for the front page for a probe, though it is what is checked', async () => {
    await using simulated = await Sleepy.deployed();
    expect(simulated.wake?.probePaths).toEqual([]);
  });

  it('falls asleep when its time is over and no sooner, and says so', async () => {
    await using simulated = await Sleepy.deployed();
    expect(simulated.wake).toEqual({ asleep: false, probePaths: [] });
    await simulated.clock.advance(IDLE_MS - 2_000);
    expect(simulated.desired).toBe(1);
    await simulated.clock.advance(2_500);
    expect(simulated.desired).toBe(0);
    await simulated.fallsAsleep();
    expect(simulated.wake?.asleep).toBe(true);
    expect(simulated.events('environment-asleep')).toEqual([
      'nobody wanted it for 12 s: nothing runs until the next request',
    ]);
    const { health, cause, asleepSince } = await simulated.status();
    expect([health, asleepSince]).toEqual(['ok', expect.any(Number)]);
    expect(cause).toMatch(/^asleep since \S+ \S+Z; the next request wakes it$/);
  });

  it('stays awake while somebody is inside, and has its time from when they leave', async () => {
    await using simulated = await Sleepy.deployed();
    simulated.edge.demand(KEY, 'stays');
    await simulated.clock.advance(5 * IDLE_MS);
    expect(simulated.desired).toBe(1);
    simulated.edge.demand(KEY);
    await simulated.clock.advance(IDLE_MS - 2_000);
    expect(simulated.desired).toBe(1);
    await simulated.fallsAsleep();
  });

  it('stays awake while the edge cannot be asked', async () => {
    await using simulated = await Sleepy.deployed();
    simulated.edge.setReachable(false);
    await simulated.clock.advance(3 * IDLE_MS);
    expect(simulated.desired).toBe(1);
    simulated.edge.setReachable(true);
    await simulated.fallsAsleep();
  });

  it('has its time anew under another daemon, which does not know what came before', async () => {
    await using simulated = await Sleepy.deployed();
    await simulated.clock.advance(IDLE_MS - 5_000);
    await simulated.control.close();
    await simulated.start();
    await simulated.clock.advance(IDLE_MS - 5_000);
    expect(simulated.desired).toBe(1);
    await simulated.fallsAsleep();
  });

  it('stays awake while a schedule wants somebody there', async () => {
    const always: ScalingPolicy = {
      kind: 'schedule',
      cron: '0 0 * * *',
      timeZone: 'UTC',
      until: null,
      min: 1,
      max: null,
      desired: null,
    };
    const scaling = { ...NO_SCALING, policies: [always] };
    await using simulated = await Sleepy.deployed(sleepy({ scaling }));
    await simulated.clock.advance(3 * IDLE_MS);
    expect(simulated.desired).toBe(1);
  });

  it('never sleeps where nothing says so', async () => {
    const group = { ...DEFAULT_GROUP, idleMs: null };
    const capacity = { min: 0, desired: 1, max: 4 };
    await using simulated = await Sleepy.deployed(sleepy({ group, capacity }));
    expect(simulated.wake).toBeNull();
    await simulated.clock.advance(5 * IDLE_MS);
    expect(simulated.desired).toBe(1);
  });
});

describe('a request to an environment that is asleep', () => {
  it('wakes it with one instance, once', async () => {
    await using simulated = await Sleepy.asleep();
    await simulated.request();
    expect(simulated.desired).toBe(1);
    expect(simulated.wake?.asleep).toBe(false);
    expect((await simulated.status()).health).toBe('pending');
    expect((await simulated.status()).cause).toMatch(/^waking: 0 of 1 instance in service/);
    simulated.edge.setWanted([]);
    await simulated.wakes();
    expect(simulated.events('environment-woken')).toEqual([
      'a request waits: it wakes with one instance',
    ]);
    expect((await simulated.status()).health).toBe('ok');
  });

  it('may wait for a whole start, and for no longer than ever once somebody serves', async () => {
    await using simulated = await Sleepy.asleep();
    const { queueMs } = configuration.traffic.admission;
    const mayWaitMs = () => simulated.edge.snapshot?.rules[0]?.admission.queueMs;
    expect(mayWaitMs()).toBe(queueMs + configuration.rollout.startTimeoutMs);
    await simulated.request();
    expect(mayWaitMs()).toBe(queueMs + configuration.rollout.startTimeoutMs);
    await simulated.wakes();
    expect(mayWaitMs()).toBe(queueMs);
  });

  it('turns it round while its last instance is on its way out', async () => {
    await using simulated = await Sleepy.deployed();
    const [before] = (await simulated.status()).instances;
    const id = before?.id ?? '';
    const isDraining = async () => (await simulated.status()).instances[0]?.state === 'draining';
    simulated.edge.setInside(poolId(KEY, 1), id, { inFlight: 1, tunnels: 0 });
    await simulated.until('it drains', isDraining);
    await simulated.request();
    await simulated.wakes();
    expect((await simulated.status()).instances.map((instance) => instance.id)).toEqual([id]);
    expect(simulated.events('instance-launched')).toHaveLength(1);
  });

  it('wakes it when it came while no daemon was there', async () => {
    await using simulated = await Sleepy.asleep();
    await simulated.control.close();
    simulated.edge.setWanted([KEY]);
    await simulated.clock.advance(5_000);
    await simulated.start();
    await simulated.wakes();
  });

  it.each([1, 2, 3, 4, 5])('wakes it although a daemon dies at boundary %d of it', async (at) => {
    await using simulated = await Sleepy.asleep();
    await simulated.control.close();
    await simulated.start(at);
    simulated.edge.setWanted([KEY]);
    await simulated.until('it has died, or done it', async () => {
      return simulated.crashed || (await simulated.runtime.list()).length === 1;
    });
    if (simulated.crashed) await simulated.bury();
    else await simulated.control.close();
    await simulated.start();
    await simulated.wakes();
    expect(simulated.events('instance-launched')).toHaveLength(2);
  });

  it('finds as many as there were, where no policy adds what is missing', async () => {
    await using simulated = await Sleepy.asleep(
      sleepy({ capacity: { min: 0, desired: 3, max: 4 } }),
    );
    await simulated.request();
    await simulated.wakes(3);
  });

  it('does not wake what was scaled to zero by hand and never sleeps', async () => {
    const group = { ...DEFAULT_GROUP, idleMs: null };
    const capacity = { min: 0, desired: 1, max: 4 };
    await using simulated = await Sleepy.deployed(sleepy({ group, capacity }));
    simulated.control.operations.scale('shop', 'production', { desired: 0 });
    await simulated.until(
      'nothing runs',
      async () => (await simulated.runtime.list()).length === 0,
    );
    await simulated.request();
    await simulated.clock.advance(10_000);
    expect(simulated.desired).toBe(0);
    const { cause, asleepSince } = await simulated.status();
    expect([cause, asleepSince]).toEqual([expect.not.stringMatching(/asleep/), null]);
  });
});

describe('with policies', () => {
  const scaling = { ...NO_SCALING, stabilizationMs: 5_000, policies: [trackConcurrency] };

  it('goes in to one by them, and to none when nobody wants it', async () => {
    const capacity = { min: 0, desired: 3, max: 4 };
    await using simulated = await Sleepy.deployed(sleepy({ scaling, capacity }));
    simulated.edge.demand(KEY, 'stays');
    await simulated.until('one is left', () => simulated.desired === 1);
    await simulated.clock.advance(3 * IDLE_MS);
    expect(simulated.desired).toBe(1);
    simulated.edge.demand(KEY);
    await simulated.fallsAsleep();
  });

  it('wakes with one, to which they add what those who wait need', async () => {
    await using simulated = await Sleepy.asleep(sleepy({ scaling }));
    simulated.edge.setWaiting({ [KEY]: 35 });
    await simulated.clock.advance(10_000);
    expect(simulated.desired).toBe(0);
    await simulated.request();
    expect(simulated.desired).toBe(1);
    await simulated.until('they add to it', () => (simulated.desired ?? 0) > 2);
    const { decisions } = simulated.control.queries.scaling('shop', 'production', 10);
    const changes = decisions.filter(({ from, to }) => from !== to).reverse();
    expect(changes.slice(0, 2)).toMatchObject([
      { from: 1, to: 0, reason: expect.stringMatching(/^nobody wanted it for 12 s/) },
      { from: 0, to: 1, reason: 'a request waits: it wakes with one instance' },
    ]);
  });

  it('stays awake while there is a backlog, or nobody knows whether there is', async () => {
    const backlog: ScalingPolicy = {
      kind: 'track',
      metric: 'backlog-per-instance',
      source: { name: 'orders', url: null },
      target: 100,
      scaleIn: true,
    };
    await using simulated = await Sleepy.deployed(
      sleepy({ scaling: { ...NO_SCALING, policies: [backlog] } }),
    );
    await simulated.clock.advance(3 * IDLE_MS);
    expect(simulated.desired).toBe(1);
  });
});

it('is given up for now when it cannot start and nobody waits any more', async () => {
  await using simulated = await Sleepy.asleep();
  simulated.behaviours.set('one', { exits: { afterMs: 50, code: 3 } });
  await simulated.request();
  simulated.edge.demand(KEY, 'stays');
  await simulated.clock.advance(2 * IDLE_MS);
  expect(simulated.desired).toBe(1);
  expect((await simulated.status()).health).toBe('severe');
  simulated.edge.setWanted([]);
  simulated.edge.demand(KEY);
  await simulated.until('it sleeps', () => simulated.desired === 0);
});

describe('by hand', () => {
  it('more instances wake it, and stay for their time', async () => {
    await using simulated = await Sleepy.asleep();
    simulated.control.operations.scale('shop', 'production', { desired: 2 });
    await simulated.wakes(2);
    await simulated.clock.advance(IDLE_MS - 5_000);
    expect(simulated.desired).toBe(2);
    await simulated.fallsAsleep();
  });

  it('those that are slow to start have their time from when they have', async () => {
    const rollout = { ...configuration.rollout, startTimeoutMs: 60_000 };
    await using simulated = await Sleepy.asleep({ ...sleepy(), rollout });
    simulated.behaviours.set('one', { bootMs: 2 * IDLE_MS });
    simulated.control.operations.scale('shop', 'production', { desired: 1 });
    await simulated.clock.advance(2 * IDLE_MS - 1_000);
    expect(simulated.desired).toBe(1);
    await simulated.wakes();
    await simulated.clock.advance(IDLE_MS - 2_000);
    expect(simulated.desired).toBe(1);
    await simulated.fallsAsleep();
  });

  it('a min above none wakes it, for good', async () => {
    await using simulated = await Sleepy.asleep();
    simulated.control.operations.scale('shop', 'production', { min: 1 });
    await simulated.wakes();
    await simulated.clock.advance(3 * IDLE_MS);
    expect(simulated.desired).toBe(1);
  });

  it('none at all puts it to sleep at once, and the next request wakes it', async () => {
    await using simulated = await Sleepy.deployed();
    simulated.control.operations.scale('shop', 'production', { desired: 0 });
    await simulated.fallsAsleep();
    expect((await simulated.status()).cause).toMatch(/^asleep since/);
    await simulated.request();
    await simulated.wakes();
  });
});

describe('a deployment to an environment that is asleep', () => {
  it('starts one instance to see the release serve, and lets it sleep again', async () => {
    await using simulated = await Sleepy.asleep();
    await simulated.deploy('two', sleepy());
    expect((await simulated.settled()).state).toBe('succeeded');
    expect((await simulated.runtime.list()).map(({ release }) => release)).toEqual([2]);
    await simulated.fallsAsleep();
    await simulated.request();
    await simulated.wakes();
  });

  it('that fails leaves it asleep, with the release it had', async () => {
    await using simulated = await Sleepy.asleep();
    simulated.behaviours.set('bad', { exits: { afterMs: 50, code: 3 } });
    await simulated.deploy('bad', sleepy());
    expect((await simulated.settled()).state).toBe('rolled-back');
    await simulated.fallsAsleep();
    expect((await simulated.status()).cause).toMatch(/^asleep since/);
    await simulated.request();
    await simulated.wakes();
    expect((await simulated.runtime.list()).map(({ release }) => release)).toEqual([1]);
  });

  it('wakes the release it has for whoever comes while it is being prepared', async () => {
    await using simulated = await Sleepy.asleep();
    simulated.hookEnds.set('build', { afterMs: 5_000, code: 0 });
    const build = {
      command: ['npm', 'run', 'build'],
      variables: {},
      timeoutMs: 60_000,
      limits: { memoryBytes: null, cpu: null },
      turnsBack: true,
    };
    await simulated.deploy('two', { ...sleepy(), hooks: { ...configuration.hooks, build } });
    await simulated.clock.advance(500);
    expect(simulated.wake?.asleep).toBe(true);
    await simulated.request();
    await simulated.wakes();
    expect((await simulated.status()).instances.map(({ release }) => release)).toEqual([1]);
    expect((await simulated.settled()).state).toBe('succeeded');
    expect((await simulated.status()).instances.map(({ release }) => release)).toEqual([2]);
  });

  it('is not held up for want of traffic to judge it by', async () => {
    await using simulated = await Sleepy.asleep();
    const rollout: Configuration['rollout'] = { ...configuration.rollout, policy: 'canary' };
    const change = { ...sleepy(), rollout };
    const where = { application: 'shop', environment: 'production' };
    const told = await simulated.control.forecasts.deploy(where, { ...configuration, ...change });
    expect(told.concerns).toEqual([]);
    expect(told.forecast?.steps.filter(({ step }) => step.kind === 'launch')).toHaveLength(1);
    await simulated.deploy('two', change);
    expect((await simulated.settled()).state).toBe('succeeded');
  });

  it('brings back what had been there, when it says that it sleeps no more', async () => {
    await using simulated = await Sleepy.asleep(
      sleepy({ capacity: { min: 0, desired: 2, max: 4 } }),
    );
    const capacity = { min: 0, desired: 2, max: 4 };
    await simulated.deploy('two', sleepy({ capacity, group: DEFAULT_GROUP }));
    expect((await simulated.settled()).state).toBe('succeeded');
    await simulated.wakes(2);
    await simulated.clock.advance(3 * IDLE_MS);
    expect(simulated.desired).toBe(2);
  });

  it('lets a restart prove that it still starts', async () => {
    await using simulated = await Sleepy.asleep();
    await simulated.ask({ kind: 'restart' });
    expect((await simulated.settled()).state).toBe('succeeded');
    await simulated.fallsAsleep();
  });
});
