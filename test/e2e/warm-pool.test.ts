import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { ledgerDifference } from '../../src/model/ledger.ts';
import type { EnvironmentView, InstanceView } from '../../src/model/view.ts';
import type { AppOptions } from './support/app.ts';
import { House } from './support/house.ts';
import { difference, failed, type Load, startLoad } from './support/load.ts';
import { until } from './support/until.ts';

/** What is kept warm takes over at once, and what waits is told to go on, on real processes. */

const BOOT_MS = 3_000;
/** From the end of one instance to the service of the warm one. */
const TAKEN_OVER_MS = 1_000;
const RATE_PER_SECOND = 100;
const OPTIONS: AppOptions = {
  capacity: { min: 2, desired: 2, max: 2, zones: ['a', 'b'], warm: 1 },
  drain: '500ms',
  stopGrace: '500ms',
  deploy: { healthyFor: '100ms' },
};

const house = new House();
let load: Load | null = null;
let someFailed = true;

beforeAll(async () => {
  await house.start();
  someFailed = false;
});

afterEach(({ task }) => {
  load?.kill();
  someFailed ||= task.result?.state === 'fail';
});

afterAll(async () => {
  await house.close(someFailed);
});

const seenAs = async (what: string, find: (view: EnvironmentView) => InstanceView | undefined) => {
  const view = await until(
    what,
    () => house.environment(),
    (seen) => find(seen) !== undefined,
  );
  const instance = find(view);
  if (!instance) throw new Error(`${what}: it is not there any more`);
  return instance;
};

const inState = (state: InstanceView['state']) =>
  seenAs(`one is ${state}`, ({ instances }) => instances.find((each) => each.state === state));

const waiting = () => seenAs('one waits', ({ instances }) => instances.find(({ wait }) => wait));

test('a warm instance takes the place of one that is killed, without waiting for a boot', async () => {
  await house.deployed(house.app({ name: 'v1', bootMs: BOOT_MS }, OPTIONS));
  const warm = await inState('warmed');
  const victim = await inState('in-service');
  load = startLoad({
    ...{ port: await house.port(), host: 'numbers.localhost' },
    ...{ ratePerSecond: RATE_PER_SECOND, sockets: 0 },
  });
  await load.send(RATE_PER_SECOND);
  const first = { counts: await load.pause(), ledger: await house.ledger() };
  const sending = load.send(2 * RATE_PER_SECOND);
  process.kill(victim.pid ?? 0, 'SIGKILL');
  const killedAt = systemClock.monotonic();
  await seenAs('the warm one serves', ({ instances }) =>
    instances.find(({ id, state }) => id === warm.id && state === 'in-service'),
  );
  const takenOverMs = systemClock.monotonic() - killedAt;
  await sending;
  const last = { counts: await load.pause(), ledger: await house.ledger() };
  const seen = difference(first.counts, last.counts);
  const { outcomes } = ledgerDifference(first.ledger, last.ledger);
  console.log(
    `the warm one served ${takenOverMs.toFixed(0)} ms after the kill; ${failed(seen)} of ${seen.sent} requests failed`,
  );
  expect.soft(takenOverMs).toBeLessThan(TAKEN_OVER_MS);
  expect.soft(seen.byInstance[warm.id]).toBeGreaterThan(RATE_PER_SECOND / 4);
  expect.soft(outcomes.lost).toBe(0);
  // What was inside it when it was killed, and may not be sent twice.
  expect.soft(seen.failures.filter(({ method }) => method === 'GET')).toEqual([]);
  // The pool fills again.
  await inState('pending');
});

test('an instance waits for a word before it takes traffic, and before it is stopped', async () => {
  const lifecycle = { launching: { heartbeat: '5m' }, terminating: { heartbeat: '5m' } };
  const number = await house.deploy(
    house.app({ name: 'v2' }, { ...OPTIONS, lifecycle, capacity: { min: 1, max: 1 } }),
  );
  const first = await waiting();
  const { stdout } = await house.belay(['status']);
  expect(stdout).toContain(`before it takes traffic: belay instance continue ${first.id}`);
  expect((await house.belay(['instance', 'heartbeat', first.id])).code).toBe(0);
  expect((await house.belay(['instance', 'abandon', first.id])).code).toBe(0);
  const second = await seenAs('another waits', ({ instances }) =>
    instances.find(({ id, wait }) => wait && id !== first.id),
  );
  expect((await house.belay(['instance', 'continue', second.id])).code).toBe(0);
  expect((await house.settled(number)).state).toBe('succeeded');
  expect((await house.inService(1)).instances.map(({ id }) => id)).toEqual([second.id]);

  const next = await house.deploy(
    house.app({ name: 'v3' }, { ...OPTIONS, capacity: { min: 1, max: 1 } }),
  );
  const last = await waiting();
  expect(last).toMatchObject({ id: second.id, state: 'draining', wait: { turn: 'terminating' } });
  expect((await house.belay(['instance', 'continue', last.id])).code).toBe(0);
  expect((await house.settled(next)).state).toBe('succeeded');
});
