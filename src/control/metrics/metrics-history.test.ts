import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configuration, SimulatedControl } from '../../../test/support/simulated-control.ts';
import { bucketOf } from '../../kernel/histogram.ts';
import { noCacheCounts } from '../../model/cache.ts';
import type { Configuration } from '../../model/configuration.ts';
import { emptyRow, type LedgerRow, noOutcomes, type OutcomeCounts } from '../../model/ledger.ts';
import { NO_SCALING } from '../../model/scaling.ts';
import { poolId } from '../../model/snapshot.ts';
import type { TargetTraffic } from '../../model/target.ts';

const KEY = 'shop/production';
const POOL = poolId(KEY, 1);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let simulated: SimulatedControl;

beforeEach(async () => {
  simulated = new SimulatedControl();
  await simulated.start();
});
afterEach(() => simulated[Symbol.asyncDispose]());

async function deploy(change: Partial<Configuration['web']> = {}): Promise<string[]> {
  await simulated.deploy('one', { web: { ...configuration.web, ...change } });
  await simulated.settled();
  // On to a whole second, when everything is measured.
  await simulated.clock.advance(1_000 - (simulated.clock.monotonic() % 1_000));
  return (await simulated.status()).instances.map(({ id }) => id);
}

const seconds = (count: number) => simulated.clock.advance(count * 1_000);
const points = (periodMs: number) => simulated.control.metrics.points(KEY, periodMs);
const newest = (periodMs = 1_000) => points(periodMs).at(-1);

/** All that has ended until now; the latencies are of those that are ok. */
function ended(
  outcomes: Partial<OutcomeCounts>,
  answers: LedgerRow['answers'] = {},
  latencyMs = 4,
): void {
  const row: LedgerRow = {
    pool: POOL,
    environment: KEY,
    release: 1,
    zone: 'a',
    outcomes: { ...noOutcomes(), ...outcomes },
    answers,
    retried: 0,
    drained: 0,
    latency: [bucketOf(latencyMs * 1_000), outcomes.ok ?? 0],
  };
  simulated.edge.setLedger({ rows: [row], unaccounted: 0, inFlight: 0, tunnels: 0 });
}

describe('an environment', () => {
  it('uses the CPU of its instances, in per cent of what one is allowed', async () => {
    const [first = '', second = '', third = ''] = await deploy({
      limits: { memoryBytes: null, cpu: 0.5 },
    });
    simulated.runtime.setUsage(first, { cpuPercent: 50, rssBytes: 30e6 });
    simulated.runtime.setUsage(second, { cpuPercent: 20, rssBytes: 30e6 });
    simulated.runtime.setUsage(third, { cpuPercent: 5, rssBytes: 40e6 });
    await seconds(10);
    expect(newest()).toMatchObject({ instances: 3, cpuPercent: 150, memoryBytes: 100e6 });
    expect(points(5_000)).not.toHaveLength(0);
    expect(newest(5_000)).toMatchObject({ instances: 3, cpuPercent: 150 });
  });

  it('counts an instance that was not measured yet as the others', async () => {
    const [first = '', second = '', third = ''] = await deploy();
    simulated.runtime.setUsage(first, { cpuPercent: 40, rssBytes: 10e6 });
    simulated.runtime.setUsage(second, { cpuPercent: 60, rssBytes: 10e6 });
    simulated.runtime.setUsage(third, { cpuPercent: null, rssBytes: 10e6 });
    await seconds(1);
    expect(newest()?.cpuPercent).toBe(150);
    simulated.runtime.setUsage(second, { cpuPercent: null, rssBytes: 10e6 });
    await seconds(1);
    expect(newest()?.cpuPercent).toBeNull();
  });

  it('does not count what an instance uses to warm up', async () => {
    const scaling = { ...NO_SCALING, warmupMs: 60_000 };
    const ids = await deploy({ scaling });
    expect(newest()?.instances).toBe(0);
    await seconds(60);
    for (const id of ids) simulated.runtime.setUsage(id, { cpuPercent: 30, rssBytes: 10e6 });
    await seconds(1);
    expect(newest()).toMatchObject({ instances: 3, cpuPercent: 90 });

    simulated.control.operations.scale('shop', 'production', { desired: 4 });
    await seconds(2);
    const added = (await simulated.status()).instances.find(({ id }) => !ids.includes(id));
    simulated.runtime.setUsage(added?.id ?? '', { cpuPercent: 100, rssBytes: 10e6 });
    await seconds(1);
    expect(newest()).toMatchObject({ instances: 3, cpuPercent: 120 });
    await seconds(60);
    expect(newest()).toMatchObject({ instances: 4, cpuPercent: 190 });
  });

  it('does not seem idle when nothing of it is in service', async () => {
    const ids = await deploy();
    for (const id of ids) simulated.runtime.setUsage(id, { cpuPercent: 30, rssBytes: 10e6 });
    await seconds(1);
    simulated.behaviours.set('one', { bootMs: 4_000 });
    for (const id of ids) simulated.runtime.kill(id);
    await seconds(2);
    expect(newest()).toMatchObject({ cpuPercent: null });
  });

  it('has the requests that came: those that ended, and the growth of what is inside and waits', async () => {
    const [first = ''] = await deploy();
    ended({ ok: 100 });
    await seconds(2);
    ended({ ok: 160, 'app-error': 3, lost: 2 });
    simulated.edge.setInside(POOL, first, { inFlight: 8, tunnels: 2 });
    simulated.edge.setWaiting({ [KEY]: 5, 'shop/other': 70 });
    await seconds(1);
    expect(newest()).toMatchObject({
      requestsPerMinute: 80 * 60,
      concurrency: 13,
      waiting: 5,
      errorsPerMinute: 0,
    });
    ended({ ok: 173, 'app-error': 3, lost: 2 });
    simulated.edge.setInside(POOL, first, { inFlight: 0, tunnels: 2 });
    simulated.edge.setWaiting({});
    await seconds(1);
    expect(newest()).toMatchObject({ requestsPerMinute: 0, concurrency: 0 });
    // What was told a moment late is told right over both.
    expect(newest(2_000)?.requestsPerMinute).toBe(80 * 30);
  });

  it('is measured by what it answered, not by what the cache did', async () => {
    await deploy();
    const row = (cached: number): LedgerRow => ({
      ...emptyRow(KEY),
      pool: POOL,
      outcomes: { ...noOutcomes(), ok: cached / 10, cached },
      answers: { 'cached 2xx': cached - cached / 5, 'cached 5xx': cached / 5 },
      latency: [bucketOf(80_000), cached / 10],
    });
    const told = (cached: number, refreshes: number) => ({
      ...{ rows: [row(cached)], unaccounted: 0, inFlight: 0, tunnels: 0 },
      cache: { [KEY]: { ...noCacheCounts(), refreshes } },
    });
    simulated.edge.setLedger(told(10, 5));
    await seconds(2);
    simulated.edge.setLedger(told(1_000, 6));
    await seconds(1);
    expect(newest()).toMatchObject({
      requestsPerMinute: 100 * 60,
      errorsPerMinute: 0,
      cachedPerMinute: 990 * 60,
    });
    expect(newest()?.p50Ms).toBeCloseTo(80, 0);
    expect(newest()?.p99Ms).toBeCloseTo(80, 0);
  });

  it('is not asked for what the edge answers by itself, but for what found no room', async () => {
    await deploy();
    ended({});
    await seconds(2);
    ended(
      { ok: 10, fixed: 50, cached: 60, refused: 70, shed: 25 },
      { 'shed 4xx': 20, 'shed 5xx': 5 },
    );
    await seconds(1);
    expect(newest()).toMatchObject({ requestsPerMinute: 15 * 60, errorsPerMinute: 5 * 60 });
  });

  it('has the latency of what ended in a period', async () => {
    await deploy();
    ended({ ok: 1_000 }, {}, 900);
    await seconds(5);
    expect(newest()).toMatchObject({ p50Ms: null, p99Ms: null });
    const [slow = 0] = [bucketOf(400_000)];
    const quick = bucketOf(4_000);
    const reading = await simulated.edge.ledger();
    const [row] = reading.rows;
    if (!row) throw new Error('no row');
    const latency = [
      ...new Map([
        [quick, 98],
        [slow, 2],
        [bucketOf(900_000), 1_000],
      ]).entries(),
    ]
      .sort(([a], [b]) => a - b)
      .flat();
    const outcomes = { ...row.outcomes, ok: 1_100 };
    simulated.edge.setLedger({ ...reading, rows: [{ ...row, outcomes, latency }] });
    await seconds(1);
    expect(newest()).toMatchObject({
      p50Ms: expect.closeTo(4, 0),
      p99Ms: expect.closeTo(400, -1),
    });
  });
});

describe('what could not be measured', () => {
  it('is nothing before the second sample', async () => {
    expect(points(1_000)).toEqual([]);
    await deploy();
    await simulated.bury();
    await simulated.start();
    expect(points(1_000)).toEqual([]);
    await seconds(1);
    expect(newest()).toMatchObject({ requestsPerMinute: null, p99Ms: null, instances: 3 });
    await seconds(1);
    expect(newest()).toMatchObject({ requestsPerMinute: 0 });
  });

  it('is null while the edge cannot be reached, and CPU is measured on', async () => {
    const [first = ''] = await deploy();
    await seconds(20);
    simulated.edge.setReachable(false);
    simulated.runtime.setUsage(first, { cpuPercent: 30, rssBytes: 10e6 });
    await seconds(10);
    expect(newest(10_000)).toMatchObject({
      requestsPerMinute: null,
      concurrency: null,
      p99Ms: null,
      errorsPerMinute: null,
      cpuPercent: 30,
    });
    simulated.edge.setReachable(true);
    await seconds(1);
    expect(newest()).toMatchObject({ requestsPerMinute: null, concurrency: 0 });
    await seconds(1);
    expect(newest()).toMatchObject({ requestsPerMinute: 0 });
  });

  it('is null while the edge does not answer, and CPU is measured on', async () => {
    const [first = ''] = await deploy();
    await simulated.bury();
    simulated.edge.traffic = () => new Promise(() => {});
    await simulated.start();
    simulated.runtime.setUsage(first, { cpuPercent: 30, rssBytes: 10e6 });
    await seconds(20);
    expect(newest(10_000)).toMatchObject({ requestsPerMinute: null, concurrency: null });
    expect(newest(10_000)).toMatchObject({ cpuPercent: 30, instances: 3 });
  });

  it('is null for most of a period of which little was measured', async () => {
    await deploy();
    await seconds(20);
    simulated.edge.setReachable(false);
    await seconds(6);
    simulated.edge.setReachable(true);
    await seconds(4);
    expect(newest(10_000)?.requestsPerMinute).toBeNull();
    await seconds(3);
    expect(newest(10_000)?.requestsPerMinute).toBe(0);
  });

  it('is how many wait, where the edge does not tell', async () => {
    await deploy();
    simulated.edge.setWaiting(null);
    await seconds(2);
    expect(newest()).toMatchObject({ concurrency: null, waiting: null, requestsPerMinute: 0 });
  });

  it('is nothing that a clock which was set changes', async () => {
    await deploy();
    ended({});
    await seconds(10);
    ended({ ok: 60 });
    simulated.clock.setWallClock(simulated.clock.now() + HOUR_MS);
    await seconds(1);
    const after = points(1_000);
    expect(after.at(-1)).toMatchObject({ at: simulated.clock.now(), requestsPerMinute: 3_600 });
    expect(after.slice(-10).map(({ at }) => simulated.clock.now() - at)).toEqual(
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((ago) => ago * 1_000),
    );
  });
});

describe('an instance', () => {
  const traffic = (
    id: string,
    requests: number,
    more: Partial<TargetTraffic> = {},
  ): TargetTraffic => ({
    pool: POOL,
    id,
    requests,
    appErrors: 0,
    failures: 0,
    latency: [bucketOf(4_000), requests],
    ...more,
  });
  const last = (id: string) => simulated.control.metrics.instance(id).at(-1);

  it('is told second by second', async () => {
    const [first = '', second = ''] = await deploy();
    simulated.runtime.setUsage(first, { cpuPercent: 12.5, rssBytes: 64 * 1024 * 1024 });
    simulated.edge.setInside(POOL, first, { inFlight: 3, tunnels: 0 });
    simulated.edge.setTraffic([traffic(first, 100), traffic(second, 7)]);
    await seconds(2);
    simulated.edge.setTraffic([
      traffic(first, 300, { appErrors: 4, failures: 1 }),
      traffic(second, 7),
    ]);
    await seconds(1);
    expect(last(first)).toEqual({
      at: simulated.clock.now(),
      cpuPercent: 12.5,
      memoryBytes: 64 * 1024 * 1024,
      requestsPerSecond: 200,
      errorsPerSecond: 5,
      inFlight: 3,
      p50Ms: expect.closeTo(4, 1),
      p99Ms: expect.closeTo(4, 1),
    });
    expect(last(second)).toMatchObject({ requestsPerSecond: 0, p50Ms: null });
  });

  it('is not told of where its counters began anew', async () => {
    const [first = ''] = await deploy();
    simulated.edge.setTraffic([traffic(first, 100)]);
    await seconds(2);
    simulated.edge.setTraffic([traffic(first, 20)]);
    await seconds(1);
    expect(last(first)).toMatchObject({
      requestsPerSecond: null,
      errorsPerSecond: null,
      p99Ms: null,
    });
    simulated.edge.setTraffic([traffic(first, 50)]);
    await seconds(1);
    expect(last(first)).toMatchObject({ requestsPerSecond: 30 });
  });

  it('is forgotten when it is gone', async () => {
    const [first = ''] = await deploy();
    expect(simulated.control.metrics.instance(first)).not.toEqual([]);
    simulated.runtime.kill(first);
    await seconds(2);
    expect(simulated.control.metrics.instance(first)).toEqual([]);
  });
});

describe('minutes', () => {
  const history = () => simulated.control.metrics.history(KEY);
  const ats = () => history().map(({ at }) => at);

  it('are on record, and there for the next daemon', async () => {
    const [first = ''] = await deploy();
    simulated.runtime.setUsage(first, { cpuPercent: 30, rssBytes: 10e6 });
    await seconds(200);
    const before = history();
    expect(before.map(({ at }) => at % MINUTE_MS)).toEqual(before.map(() => 0));
    expect(before.length).toBeGreaterThanOrEqual(3);
    expect(before.at(-1)).toMatchObject({ instances: 3, cpuPercent: 30, requestsPerMinute: 0 });
    await simulated.bury();
    await simulated.start();
    expect(history()).toEqual(before);
    await seconds(130);
    expect(history().slice(0, before.length)).toEqual(before);
    expect(history().length).toBeGreaterThan(before.length);
  });

  it('are told for a longer past than seconds are', async () => {
    await deploy();
    await seconds(200);
    const view = (lastMs: number) => simulated.control.metrics.view('shop', 'production', lastMs);
    expect(view(30_000)).toMatchObject({ periodMs: 1_000, reported: {} });
    expect(view(30_000).points).toHaveLength(30);
    const hour = view(HOUR_MS);
    expect(hour).toMatchObject({ periodMs: MINUTE_MS });
    expect(hour.points).toEqual(history());
    expect(view(HOUR_MS).points).toEqual(hour.points);
    expect(() => simulated.control.metrics.view('shop', 'none', HOUR_MS)).toThrow(
      expect.objectContaining({ code: 'unknown-environment' }),
    );
    expect(() => simulated.control.metrics.instanceView(KEY, 'i-none', 1_000)).toThrow(
      expect.objectContaining({ code: 'unknown-instance' }),
    );
  });

  it('that no daemon saw are missing', async () => {
    await deploy();
    await seconds(150);
    const before = ats();
    await simulated.bury();
    simulated.clock.setWallClock(simulated.clock.now() + HOUR_MS);
    await simulated.start();
    await seconds(150);
    const since = ats().filter((at) => !before.includes(at));
    expect(since.length).toBeGreaterThan(0);
    expect(Math.min(...since) - Math.max(...before)).toBeGreaterThanOrEqual(HOUR_MS);
  });
});

describe('a number of the app’s own', () => {
  let server: Server | null = null;
  afterEach(async () => {
    if (server) await new Promise((resolve) => server?.close(resolve));
    server = null;
  });

  const scaledBy = (name: string, url: string | null): Partial<Configuration['web']> => ({
    scaling: {
      ...NO_SCALING,
      policies: [
        {
          kind: 'track',
          metric: 'backlog-per-instance',
          source: { name, url },
          target: 10_000,
          scaleIn: false,
        },
      ],
    },
  });
  const told = (): string[] =>
    simulated.control.queries
      .events({ after: 0, limit: 1_000 })
      .filter(({ type }) => type.startsWith('metric-'))
      .map(({ type, message }) => `${type}: ${message}`);

  it('holds for two minutes when it is reported, and is missing then', async () => {
    await deploy(scaledBy('jobs', null));
    await seconds(1);
    expect(newest()?.reported).toEqual({});
    simulated.control.metrics.report(KEY, 'jobs', 12);
    await seconds(1);
    expect(newest()?.reported).toEqual({ jobs: 12 });
    await seconds(60);
    simulated.control.metrics.report(KEY, 'jobs', 0);
    await seconds(119);
    expect(newest()?.reported).toEqual({ jobs: 0 });
    await seconds(2);
    expect(newest()?.reported).toEqual({});
    simulated.control.metrics.report(KEY, 'jobs', 5);
    await seconds(1);
    expect(newest()?.reported).toEqual({ jobs: 5 });
    expect(told()).toEqual([
      "metric-missing: the metric 'jobs' is missing: it was not reported for 2 minutes; nothing is scaled in meanwhile",
      "metric-back: the metric 'jobs' is back: is reported again",
    ]);
  });

  it.for([
    ['Jobs', 1],
    ['', 1],
    ['jobs', -1],
    ['jobs', Number.NaN],
    ['jobs', Number.POSITIVE_INFINITY],
  ] as const)('is refused as %j = %j', async ([name, value], { expect }) => {
    await deploy();
    expect(() => simulated.control.metrics.report(KEY, name, value)).toThrow(
      expect.objectContaining({ code: 'bad-metric' }),
    );
  });

  it('is refused where it is read from a URL, and beyond a hundred names', async () => {
    await deploy(scaledBy('jobs', 'http://127.0.0.1:9/jobs'));
    const report = (name: string) => () => simulated.control.metrics.report(KEY, name, 1);
    expect(report('jobs')).toThrow(expect.objectContaining({ code: 'bad-metric' }));
    for (let count = 0; count < 99; count += 1) report(`name-${count}`)();
    await seconds(1);
    expect(report('one-more')).toThrow(expect.objectContaining({ code: 'bad-metric' }));
    expect(report('name-0')).not.toThrow();
  });

  it('is read from its URL, and an answer that is none is told of once', async () => {
    let answer = '7';
    const asked: (() => void)[] = [];
    const listening = createServer((_request, response) => {
      response.end(answer);
      response.on('close', () => asked.shift()?.());
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const address = listening.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const url = `http://127.0.0.1:${port}/jobs`;
    const asSet = `http://me:secret@127.0.0.1:${port}/jobs?token=secret`;
    /** Five seconds on, by when it was asked once more, and has answered. */
    const round = async (says: string) => {
      answer = says;
      const answered = new Promise<void>((resolve) => asked.push(resolve));
      await seconds(5);
      await answered;
      await expect
        .poll(async () => {
          await simulated.control.metrics.sample();
          return newest()?.reported.jobs ?? null;
        })
        .toBe(Number.isNaN(Number(says)) ? null : Number(says));
    };
    await deploy(scaledBy('jobs', asSet));
    await round('7');
    await round('3');
    for (const bad of ['many', '-', 'NaN']) await round(bad);
    await round('4');
    expect(told()).toEqual([
      `metric-missing: the metric 'jobs' is missing: ${url}: answered something else than a number from 0 on; nothing is scaled in meanwhile`,
      `metric-back: the metric 'jobs' is back: ${url} answers with it again`,
    ]);
  });
});
