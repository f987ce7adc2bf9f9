import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerDifference } from '../../src/model/ledger.ts';
import { sizes } from '../../src/model/size.ts';
import { House } from './support/house.ts';
import { difference, failed, type Load, startLoad } from './support/load.ts';

/** Another size by command: a deployment of real processes under load, without loss. */

const RATE_PER_SECOND = 100;

const house = new House();
let load: Load | null = null;
let someFailed = true;

beforeAll(() => house.start());

afterAll(async () => {
  load?.kill();
  await house.close(someFailed);
});

test('every instance gets another size, and no request is lost', async () => {
  const capacity = { min: 2, desired: 2, max: 3, zones: ['a', 'b'], size: 'micro' as const };
  await house.deployed(house.app({ name: 'v1' }, { capacity, drain: '500ms', stopGrace: '500ms' }));
  load = startLoad({
    ...{ port: await house.port(), host: 'numbers.localhost' },
    ...{ ratePerSecond: RATE_PER_SECOND, sockets: 0 },
  });
  await load.send(RATE_PER_SECOND);
  const first = { counts: await load.pause(), ledger: await house.ledger() };

  const sending = load.send(4 * RATE_PER_SECOND);
  const resized = await house.belay(['scale', '--size', 'small', '--app', 'numbers', '--json']);
  expect(resized.code).toBe(0);
  await sending;
  const last = { counts: await load.pause(), ledger: await house.ledger() };

  const answer: unknown = JSON.parse(resized.stdout);
  expect(answer).toMatchObject({ kind: 'resize', verdict: 'succeeded', receipt: { lost: 0 } });
  expect(failed(difference(first.counts, last.counts))).toBe(0);
  const { outcomes } = ledgerDifference(first.ledger, last.ledger);
  expect(outcomes).toMatchObject({ lost: 0, cut: 0 });
  const { allowance, instances } = await house.environment();
  expect(allowance).toMatchObject({ size: 'small', byCommand: true, ...sizes.small });
  expect(instances.map(({ release, limit }) => [release, limit !== 'none'])).toEqual([
    [2, true],
    [2, true],
  ]);
  someFailed = false;
});
