import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerDifference } from '../../src/model/ledger.ts';
import { House } from './support/house.ts';
import { difference, failed, type Load, startLoad } from './support/load.ts';

/** What people ask of single instances, under the load of a client that knows nothing of Belay. */

const RATE_PER_SECOND = 100;
const SENT_EACH = 60;
const CAPACITY = { min: 1, desired: 3, max: 4, zones: ['a', 'b'] };

const house = new House();
let load: Load | null = null;
let hasPassed = false;

beforeAll(async () => {
  await house.start();
  await house.deployed(house.app({ name: 'v1' }, { capacity: CAPACITY, drain: '500ms' }));
  await house.inService(3);
  const port = await house.port();
  load = startLoad({
    ...{ port, host: 'numbers.localhost', ratePerSecond: RATE_PER_SECOND, sockets: 4 },
  });
});

afterAll(async () => {
  load?.kill();
  await house.close(!hasPassed);
});

async function asked(...args: string[]): Promise<void> {
  const { code, stderr } = await house.belay(['instance', ...args]);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
}

async function servingIds(): Promise<string[]> {
  const { instances } = await house.environment();
  return instances.filter(({ state }) => state === 'in-service').map(({ id }) => id);
}

const stateOf = async (id: string) =>
  (await house.environment()).instances.find((each) => each.id === id)?.state;

test('standby, resume, protection and replacement lose nothing', { timeout: 90_000 }, async () => {
  if (!load) throw new Error('there is no load');
  const before = { counts: await load.pause(), ledger: await house.ledger() };
  /** Who answers from now on. */
  const answering = async (running: Load): Promise<Record<string, number>> => {
    const start = await running.pause();
    await running.send(SENT_EACH);
    return difference(start, await running.pause()).byInstance;
  };
  const [first = '', second = ''] = await servingIds();

  await load.send(SENT_EACH);
  await asked('standby', first);
  expect(await stateOf(first)).toBe('standby');
  expect(house.instanceProcesses()).toContain(first);
  expect((await answering(load))[first] ?? 0).toBe(0);
  expect((await house.environment()).capacity.desired).toBe(2);

  // It is on record: the next daemon leaves it there too.
  await house.killDaemon();
  await house.start();
  expect(await stateOf(first)).toBe('standby');
  await load.send(SENT_EACH);
  await asked('resume', first);
  expect((await answering(load))[first]).toBeGreaterThan(0);

  await load.send(SENT_EACH);
  await asked('standby', second, '--replace');
  expect(await servingIds()).toHaveLength(3);
  await asked('replace', second);
  expect(house.instanceProcesses()).not.toContain(second);

  await load.send(SENT_EACH);
  await asked('replace', first);
  expect(house.instanceProcesses()).not.toContain(first);
  expect(await servingIds()).toHaveLength(3);

  const [oldest = ''] = await servingIds();
  await asked('protect', oldest);
  await load.send(SENT_EACH);
  const scaled = await house.belay(['scale', '1']);
  expect(scaled.code).toBe(0);
  expect(await servingIds()).toEqual([oldest]);

  const after = { counts: await load.end(), ledger: await house.ledger() };
  const passed = difference(before.counts, after.counts);
  expect({ failed: failed(passed), failures: passed.failures }).toEqual({
    failed: 0,
    failures: [],
  });
  const { outcomes } = ledgerDifference(before.ledger, after.ledger);
  expect(outcomes).toMatchObject({ lost: 0, cut: 0 });
  expect(outcomes.ok).toBeGreaterThanOrEqual(passed.sent);
  hasPassed = true;
});
