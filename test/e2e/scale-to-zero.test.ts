import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/kernel/clock.ts';
import type { EnvironmentView } from '../../src/model/view.ts';
import type { AppOptions, Variant } from './support/app.ts';
import { type BurstOptions, burst, rightly } from './support/burst.ts';
import { House, where } from './support/house.ts';
import { kill } from './support/processes.ts';
import { until } from './support/until.ts';

/** Nothing runs while nobody wants it, and who comes waits for it, on real processes. */

const IDLE_MS = 1_000;
const HOST = 'numbers.localhost';
const OPTIONS: AppOptions = {
  capacity: { min: 0, max: 4, zones: ['a', 'b'], idle: '1s' },
  drain: '500ms',
  stopGrace: '500ms',
  deploy: { healthyFor: '100ms' },
};
const ROUNDS = 3;
/** Beyond what the app takes to start; beside other tests the machine is busy with them. */
const WAKE_MS = process.env.BELAY_NIGHTLY ? 100 : 500;

const house = new House();
let someFailed = true;
let port = 0;

beforeAll(async () => {
  await house.start();
  await deployed({ name: 'quick' });
  port = await house.port();
  someFailed = false;
});

afterEach(({ task }) => {
  someFailed ||= task.result?.state === 'fail';
});

afterAll(async () => {
  await house.close(someFailed);
});

async function deployed(variant: Variant, options: AppOptions = {}): Promise<void> {
  const deployment = await house.deployed(house.app(variant, { ...OPTIONS, ...options }));
  expect(deployment.state).toBe('succeeded');
}

/** Puts it to sleep at once. */
async function asleep(): Promise<void> {
  await house.client.call('scale', { params: where, body: { desired: 0 } });
  await fallenAsleep();
}

/** Waits until nothing runs. */
async function fallenAsleep(): Promise<EnvironmentView> {
  const nothing = ({ instances }: EnvironmentView) => instances.length === 0;
  const view = await until('nothing runs', () => house.environment(), nothing);
  expect(house.instanceProcesses()).toEqual([]);
  return view;
}

const ask = (options: Partial<BurstOptions> = {}) =>
  burst({ port, host: HOST, requests: 1, bodyBytes: 20, ...options });

const launched = async (): Promise<number> => {
  const { events } = await house.client.call('events', { query: { after: 0, limit: 1_000 } });
  return events.filter(({ type }) => type === 'instance-launched').length;
};

async function lost(): Promise<number> {
  const { rows } = await house.ledger();
  return rows.reduce((total, { outcomes }) => total + outcomes.lost, 0);
}

describe('an environment that nobody wants', () => {
  test('has no process, and is well', async () => {
    const { health, cause, capacity } = await fallenAsleep();
    expect([health, capacity.desired]).toEqual(['ok', 0]);
    expect(cause).toMatch(/^asleep since .*; the next request wakes it$/);
    const told = await house.belay(['status', '--app', where.application]);
    expect(told.stdout).toMatch(/asleep since .*; the next request wakes it/);
  });

  test('is not woken by probes, which get an answer', async () => {
    await asleep();
    const before = await launched();
    for (const method of ['GET', 'HEAD'] as const) {
      const [answer] = await ask({ method, path: '/healthz?from=monitor' });
      expect(answer).toMatchObject({ status: 200, instance: '' });
    }
    await systemClock.sleep(300);
    expect(await launched()).toBe(before);
  });

  test('falls asleep although it is probed all the time', async () => {
    expect(rightly(await ask())).toBe(1);
    let probing = true;
    const probes = (async () => {
      while (probing) {
        await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { host: HOST } });
        await systemClock.sleep(50);
      }
    })();
    await fallenAsleep();
    probing = false;
    await probes;
  });

  test('stays awake while a WebSocket is open, and sleeps after it', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
    await once(socket, 'open');
    await systemClock.sleep(1.5 * IDLE_MS);
    expect((await house.environment()).instances).toHaveLength(1);
    socket.close();
    await fallenAsleep();
  });
});

describe('requests to an environment that is asleep', () => {
  test('are answered as soon as it has started', async () => {
    const beyondMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await asleep();
      const [answer] = await ask();
      expect(answer).toMatchObject({ status: 200, right: true });
      const { instances } = await house.environment();
      const bootMs = instances[0]?.boot?.bootMs ?? Number.NaN;
      beyondMs.push((answer?.tookMs ?? Number.NaN) - bootMs);
    }
    console.log(`answered ${beyondMs.map((ms) => ms.toFixed(0)).join(', ')} ms beyond the start`);
    // One moment in which the machine was busy with something else says nothing.
    expect(Math.min(...beyondMs)).toBeLessThan(WAKE_MS);
  });

  test('500 at once start one instance, and all are answered, with their whole bodies', async () => {
    await asleep();
    const [before, lostBefore] = [await launched(), await lost()];
    const answers = await ask({ requests: 500, bodyBytes: 20_000 });
    expect(rightly(answers)).toBe(500);
    expect(new Set(answers.map(({ instance }) => instance)).size).toBe(1);
    expect(await launched()).toBe(before + 1);
    expect(await lost()).toBe(lostBefore);
  });

  test('one with a body larger than the edge holds is replayed whole', async () => {
    await asleep();
    const [answer] = await ask({ first: 2, bodyBytes: 8_000_000 });
    expect(answer).toMatchObject({ status: 200, right: true });
  });

  test('wait for the next daemon when the last was killed', async () => {
    await asleep();
    await house.killDaemon();
    const answer = ask();
    await systemClock.sleep(200);
    await house.start();
    expect(rightly(await answer)).toBe(1);
  });
});

describe.skipIf(!process.env.BELAY_NIGHTLY)(
  'requests in the moment in which it falls asleep',
  () => {
    test('are all answered, whether it is on its way out or gone', async () => {
      const lostBefore = await lost();
      let sleeps = 0;
      for (let round = 0; round < 16; round += 1) {
        const requests = 1 + (round % 4);
        expect(rightly(await ask({ requests }))).toBe(requests);
        // Around the end of its time, a little later each round; the client needs some to come up.
        await systemClock.sleep(IDLE_MS - 150 + round * 20);
        if ((await house.environment()).capacity.desired === 0) sleeps += 1;
      }
      expect(sleeps).toBeGreaterThan(0);
      expect(await lost()).toBe(lostBefore);
    }, 120_000);
  },
);

describe('an app that takes its time to start', () => {
  test('wakes although the worker in which its requests wait is killed', async () => {
    await deployed({ name: 'slow', bootMs: 800 }, { edge: { queue: { length: 20 } } });
    await asleep();
    const waiting = ask({ requests: 10 });
    const status = await until(
      'it wakes',
      () => house.environment(),
      ({ instances }) => instances.length === 1,
    );
    expect(status).toMatchObject({ health: 'pending', cause: expect.stringMatching(/^waking/) });
    const { edge } = await house.client.call('daemon');
    kill(edge?.workers[0]?.pid ?? 0);
    const cut = await waiting;
    expect(cut.filter(({ failure }) => failure !== null)).toHaveLength(10);
    expect(rightly(await ask())).toBe(1);
    expect((await house.ledger()).unaccounted).toBeGreaterThanOrEqual(10);
  });

  test('lets as many wait as may, and tells the others when to come again', async () => {
    await asleep();
    const answers = await ask({ requests: 50 });
    expect(rightly(answers)).toBe(20);
    const turnedAway = answers.filter(({ status }) => status === 503);
    expect(turnedAway).toHaveLength(30);
    for (const { retryAfter } of turnedAway) expect(Number(retryAfter)).toBeGreaterThan(0);
  });
});
