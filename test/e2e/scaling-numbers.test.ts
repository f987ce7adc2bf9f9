import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { House } from './support/house.ts';
import { until } from './support/until.ts';

/** Capacity by a number of the app's own, which is asked for at a URL. */

/** Long enough for a few decisions. */
const LIED_MS = 2_500;

let house: House;
let numbers: Server | null = null;

afterEach(async ({ task }) => {
  numbers?.closeAllConnections();
  numbers?.close();
  numbers = null;
  await house.close(task.result?.state === 'fail');
});

const desiredNow = async (): Promise<number> => (await house.environment()).capacity.desired;

const nightly = test.skipIf(!process.env.BELAY_NIGHTLY);

nightly('a number that hangs, lies or is none takes no instance away', async () => {
  let answer: () => { status?: number; body: string } | null = () => ({ body: '25' });
  numbers = createServer((_, response) => {
    const given = answer();
    if (given) response.writeHead(given.status ?? 200).end(given.body);
  });
  await new Promise<void>((resolve) => numbers?.listen(0, '127.0.0.1', resolve));
  const { port } = numbers.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const policy = { kind: 'track', metric: 'backlog-per-instance', target: 10, url };
  house = new House();
  await house.start();
  await house.deployed(
    house.app(
      { name: 'v1' },
      {
        capacity: { min: 1, desired: 1, max: 4 },
        scaling: { policies: [policy], stabilization: '0s' },
      },
    ),
  );
  await until('it has grown', desiredNow, (desired) => desired >= 3);
  await house.inService(await desiredNow());
  const reached = await desiredNow();
  const lies: (typeof answer)[] = [
    () => ({ body: 'many' }),
    () => ({ body: '-5' }),
    () => ({ body: '0', status: 500 }),
    () => ({ body: '1e999' }),
    () => null,
  ];
  for (const lie of lies) {
    answer = lie;
    await systemClock.sleep(LIED_MS);
    expect.soft(await desiredNow(), String(lie)).toBeGreaterThanOrEqual(reached);
  }
  const { events } = await house.client.call('events', { query: { after: 0 } });
  expect(events.map(({ type }) => type)).toContain('metric-missing');
});
