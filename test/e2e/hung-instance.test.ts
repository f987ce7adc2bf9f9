import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { ledgerDifference, noOutcomes } from '../../src/model/ledger.ts';
import { House } from './support/house.ts';
import { difference, ended, failed, type Load, startLoad } from './support/load.ts';
import { until } from './support/until.ts';

/**
 * One of four instances is stopped and goes on later. By the count of a client that knows nothing of
 * Belay, and by the ledger: who is inside it is answered in time, nobody else comes to it until it
 * is well, and then it has its share again.
 */

/** To the head of an answer, and between the pieces of one that has begun. */
const ANSWER_MS = 1_000;
/** For a machine that is busy. */
const SLACK_MS = 1_000;
const CHECK = { interval: '300ms', timeout: '200ms' };
/** Two checks in a row, and the wait before the first. */
const OUT_WITHIN_MS = 3 * 300 + 2 * 200 + SLACK_MS;
const INSTANCES = 4;
const RATE_PER_SECOND = 200;
const SOCKETS = 20;

const house = new House();
let load: Load | null = null;

afterEach(async ({ task }) => {
  load?.kill();
  await house.close(task.result?.state === 'fail');
});

test('a stopped instance holds nobody up beyond the deadline, and is back when it goes on', async () => {
  const capacity = { min: INSTANCES, desired: INSTANCES, max: INSTANCES, zones: ['a', 'b'] };
  const edge = { timeouts: { answer: `${ANSWER_MS}ms`, quiet: `${ANSWER_MS}ms` } };
  await house.start();
  await house.deployed(
    house.app({ name: 'v1' }, { capacity, health: CHECK, edge, drain: '500ms' }),
  );
  const [victim] = (await house.inService(INSTANCES)).instances;
  if (!victim?.pid) throw new Error('there is no instance to stop');
  load = startLoad({
    port: await house.port(),
    host: 'numbers.localhost',
    ratePerSecond: RATE_PER_SECOND,
    sockets: SOCKETS,
  });
  const first = { counts: await load.pause(), ledger: await house.ledger() };

  await load.send(RATE_PER_SECOND);
  process.kill(victim.pid, 'SIGSTOP');
  const stoppedAt = systemClock.monotonic();
  await healthIs('unhealthy', victim.id);
  const outMs = systemClock.monotonic() - stoppedAt;
  // Whoever was inside it has met the deadline by then.
  const out = await load.send((2 * RATE_PER_SECOND * ANSWER_MS) / 1_000);
  const later = await load.send(RATE_PER_SECOND);
  process.kill(victim.pid, 'SIGCONT');
  const wentOnAt = systemClock.monotonic();
  await healthIs('healthy', victim.id);
  const backMs = systemClock.monotonic() - wentOnAt;
  const well = await load.send(1);
  await load.send(RATE_PER_SECOND);

  const last = { counts: await load.pause(), ledger: await house.ledger() };
  const seen = difference(first.counts, last.counts);
  const slowestMs = Math.max(...last.counts.latenciesMs) - Math.max(...last.counts.lateMs);
  console.log(
    `out after ${outMs.toFixed(0)} ms, back after ${backMs.toFixed(0)} ms; ${failed(seen)} of ${seen.sent} requests failed, the slowest took ${slowestMs.toFixed(0)} ms`,
  );
  expect.soft(outMs).toBeLessThan(OUT_WITHIN_MS);
  expect.soft(backMs).toBeLessThan(OUT_WITHIN_MS);
  expect.soft(slowestMs).toBeLessThan(2 * ANSWER_MS + SLACK_MS);
  const meanwhile = difference(out, later);
  expect.soft([meanwhile.failures, meanwhile.byInstance[victim.id]]).toEqual([[], 0]);
  expect.soft(difference(well, last.counts).byInstance[victim.id]).toBeGreaterThan(0);
  const lost = failed(seen);
  expect.soft((seen.statuses[504] ?? 0) + seen.resetInBody).toBe(lost);
  expect.soft(last.counts.sockets).toMatchObject({ closed: 0, unanswered: 0, wrong: 0 });
  const { outcomes } = ledgerDifference(first.ledger, last.ledger);
  expect.soft(outcomes).toEqual({ ...noOutcomes(), ok: ended(seen) - lost, lost });
  expect.soft(last.ledger.unaccounted).toBe(first.ledger.unaccounted);
});

async function healthIs(health: string, id: string): Promise<void> {
  const look = async () => (await house.environment()).instances.find((each) => each.id === id);
  await until(`${id} is ${health}`, look, (instance) => instance?.health === health);
}
