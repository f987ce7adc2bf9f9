import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { type LedgerReading, ledgerDifference } from '../../src/model/ledger.ts';
import type { ScalingRecord } from '../../src/model/scaling-decision.ts';
import { House, where } from './support/house.ts';
import { type Load, percentile, startLoad } from './support/load.ts';
import { until } from './support/until.ts';

/**
 * Capacity follows the load on real processes: sixteen times as much from one second to the next, of
 * work that takes processor time, on instances that may use a fifth of a core each; and back.
 */

const CALM_PER_SECOND = 50;
const MORE_PER_SECOND = 750;
/** A request's processor time, beside what Node itself takes. */
const BURN_MS = 0.5;
/** What it waits for, as for a database. */
const WAIT_MS = 20;
const WINDOW_MS = 1_000;
/** The whole of it, and its bound on time. */
const isNight = Boolean(process.env.BELAY_NIGHTLY);
const CALM_MS = isNight ? 5_000 : 2_000;
const STEP_MS = isNight ? 12_000 : 6_000;
/** Of the scale-out test by night, with nothing else running: p99 may be more than twice as long for so long. */
const DOUBLED_AT_MOST_MS = 10_000;
const MOST = 6;
/** Until the step is forgotten by the measure of how restless the load is, too. */
const CALM_AGAIN_MS = 60_000;
const STEPS_BY_NIGHT = 4;

const app = {
  cpu: 0.2,
  // What piles up waits at the edge, for any instance, and not inside the first.
  edge: { maxConcurrency: 32, queue: { length: 20_000, wait: '30s' } },
  capacity: { min: 1, desired: 1, max: MOST, zones: ['a', 'b'] },
  scaling: { policies: [{ kind: 'track', metric: 'cpu', target: 60 }], stabilization: '3s' },
};

/** What clients and capacity were like over one window. */
interface Window {
  endMs: number;
  p99Ms: number;
  requests: number;
  desired: number;
  inService: number;
}

let house: House;
const loads: Load[] = [];

afterEach(async ({ task }) => {
  for (const load of loads.splice(0)) load.kill();
  await house.close(task.result?.state === 'fail');
});

async function clientOf(ratePerSecond: number): Promise<Load> {
  const load = startLoad({
    port: await house.port(),
    host: 'numbers.localhost',
    ratePerSecond,
    sockets: 0,
    connections: 4_000,
  });
  loads.push(load);
  // It has begun when it answers.
  await load.pause();
  return load;
}

/** Sends for so long, and goes on. */
async function watch(load: Load, ratePerSecond: number, durationMs: number): Promise<Window[]> {
  const windows: Window[] = [];
  let seen = (await load.send(1)).latenciesMs.length;
  const beganMs = systemClock.monotonic();
  for (let endMs = 0; endMs < durationMs; ) {
    const { latenciesMs } = await load.send((ratePerSecond * WINDOW_MS) / 1000);
    const { capacity, instances } = await house.environment();
    endMs = systemClock.monotonic() - beganMs;
    windows.push({
      endMs: Math.round(endMs),
      p99Ms: latenciesMs.length === seen ? durationMs : percentile(latenciesMs.slice(seen), 0.99),
      requests: latenciesMs.length - seen,
      desired: capacity.desired,
      inService: instances.filter(({ state }) => state === 'in-service').length,
    });
    seen = latenciesMs.length;
  }
  return windows;
}

/** How long at a stretch p99 was more than twice what it is when it is calm. */
function longestDoubledMs(windows: readonly Window[], calmP99Ms: number): number {
  let longestMs = 0;
  let sinceMs = 0;
  for (const { endMs, p99Ms } of windows) {
    if (p99Ms <= 2 * calmP99Ms) sinceMs = endMs;
    longestMs = Math.max(longestMs, endMs - sinceMs);
  }
  return longestMs;
}

const desiredNow = async (): Promise<number> => (await house.environment()).capacity.desired;

/** Decisions that changed something, newest first. */
async function changes(): Promise<ScalingRecord[]> {
  const { decisions } = await house.client.call('scaling', {
    params: where,
    query: { limit: 100 },
  });
  return decisions.filter(({ from, to }) => from !== to);
}

function tell(calmP99Ms: number, windows: readonly Window[]): void {
  console.log(`p99 ${calmP99Ms.toFixed(0)} ms at ${CALM_PER_SECOND} requests/s; then`);
  for (const { endMs, p99Ms, requests, desired, inService } of windows) {
    console.log(
      `${(endMs / 1000).toFixed(1)} s: ${requests} answered, p99 ${p99Ms.toFixed(0)} ms, ${inService} of ${desired} in service`,
    );
  }
}

interface Begun {
  calm: Load;
  more: Load;
  ledger: LedgerReading;
}

async function begin(): Promise<Begun> {
  house = new House();
  await house.start();
  await house.deployed(house.app({ name: 'v1', burnMs: BURN_MS, waitMs: WAIT_MS }, app));
  const ledger = await house.ledger();
  return { calm: await clientOf(CALM_PER_SECOND), more: await clientOf(MORE_PER_SECOND), ledger };
}

async function backToOne(): Promise<void> {
  await until('it is back', desiredNow, (desired) => desired === 1, CALM_AGAIN_MS);
  await house.inService(1);
}

/** By the clients and by the ledger. */
async function expectNothingLost({ calm, more, ledger }: Begun): Promise<void> {
  const counts = [await calm.pause(), await more.pause()];
  const account = ledgerDifference(ledger, await house.ledger());
  expect.soft(counts.flatMap(({ failures }) => failures)).toEqual([]);
  expect.soft(account.outcomes).toMatchObject({ lost: 0, cut: 0, shed: 0 });
  expect.soft(account.outcomes.ok).toBe(counts.reduce((sum, { sent }) => sum + sent, 0));
}

describe('a step of the load from 50 to 800 requests a second', () => {
  test('brings instances in time, outlives the daemon and loses nothing', async () => {
    const begun = await begin();
    const { calm, more } = begun;
    await watch(calm, CALM_PER_SECOND, CALM_MS);
    const calmP99Ms = percentile((await calm.pause()).latenciesMs, 0.99);

    await calm.send(1);
    const windows = await watch(more, MORE_PER_SECOND, STEP_MS);
    tell(calmP99Ms, windows);
    // More than one decision, where the first fell into the step's first second.
    const reached = await until('it has grown', desiredNow, (desired) => desired >= 4);
    const doubledMs = longestDoubledMs(windows, calmP99Ms);
    if (isNight) expect.soft(doubledMs, 'p99 doubled').toBeLessThanOrEqual(DOUBLED_AT_MOST_MS);

    const decided = await changes();
    expect
      .soft(decided.at(-1))
      .toMatchObject({ from: 1, capacity: { min: 1, desired: 1, max: MOST } });
    expect.soft(decided[0]?.measured?.requestsPerMinute).toBeGreaterThan(20_000);

    await house.killDaemon();
    await house.start();
    expect.soft(await changes()).toEqual(expect.arrayContaining(decided));
    const after = await watch(more, MORE_PER_SECOND, STEP_MS / 3);
    tell(calmP99Ms, after);
    expect.soft(Math.min(...after.map(({ desired }) => desired))).toBeGreaterThanOrEqual(reached);
    await more.pause();
    if (isNight) await backToOne();
    await expectNothingLost(begun);
  });

  test.skipIf(!isNight)(
    'again and again, with the daemon killed amid each, loses nothing',
    { timeout: 600_000 },
    async () => {
      const begun = await begin();
      const { calm, more } = begun;
      await calm.send(1);
      for (let step = 0; step < STEPS_BY_NIGHT; step += 1) {
        await more.send(1);
        await until('it grows', desiredNow, (desired) => desired > 1);
        await house.killDaemon();
        await house.start();
        await until('it has grown', desiredNow, (desired) => desired >= 4);
        await watch(more, MORE_PER_SECOND, 10_000);
        await more.pause();
        // Again while instances still leave, every other time.
        if (step % 2 === 0) await backToOne();
        else await until('it shrinks', desiredNow, (desired) => desired < 4, CALM_AGAIN_MS);
      }
      await backToOne();
      await expectNothingLost(begun);
    },
  );
});
