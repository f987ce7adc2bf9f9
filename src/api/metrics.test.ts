import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedControl } from '../../test/support/simulated-control.ts';
import { systemClock } from '../kernel/clock.ts';
import { histogram } from '../kernel/histogram.ts';
import { silentLog } from '../kernel/log.ts';
import { noCacheCounts } from '../model/cache.ts';
import { emptyRow, type LedgerRow, noOutcomes } from '../model/ledger.ts';
import { EXPOSITION_TYPE, exposition } from './exposition.ts';
import { createMetricsApi, listenMetrics, parseMetricsAddress } from './metrics-server.ts';
import { createApi } from './server.ts';
import { type ParsedFamily, parseExposition } from './strict-exposition.fixture.ts';

const KEY = 'shop/production';
const POOL = `${KEY}#1`;

let simulated: SimulatedControl;

beforeEach(async () => {
  simulated = new SimulatedControl();
  await simulated.start();
  await simulated.deploy('one');
  await simulated.settled();
});
afterEach(() => simulated[Symbol.asyncDispose]());

async function scrape(): Promise<Map<string, ParsedFamily>> {
  const parts = { control: simulated.control, clock: systemClock, log: silentLog };
  const answer = await createApi({ ...parts, stop: () => {} }).request('/metrics');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, EXPOSITION_TYPE]);
  return parseExposition(await answer.text());
}

function latency(...us: number[]) {
  const counted = histogram();
  for (const each of us) counted.record(each);
  return counted.toSparse();
}

const rowOf = (fields: Partial<LedgerRow>): LedgerRow => ({
  ...emptyRow(KEY),
  pool: POOL,
  release: 1,
  zone: 'a',
  ...fields,
});

const passed = (rows: LedgerRow[], unaccounted = 0) =>
  simulated.edge.setLedger({ rows, unaccounted, inFlight: 4, tunnels: 1, turnedAway: 9 });

const samplesOf = (families: Map<string, ParsedFamily>, name: string) =>
  families.get(name)?.samples ?? [];

describe('metrics', () => {
  it('tell every request by its outcome and class, and those without an answer', async () => {
    const outcomes = { ...noOutcomes(), ok: 10, lost: 2, 'client-aborted': 3 };
    const answers = { 'ok 2xx': 9, 'ok 3xx': 1, 'lost 5xx': 2, 'client-aborted 2xx': 1 } as const;
    passed([rowOf({ outcomes, answers, retried: 5 })], 7);
    const families = await scrape();
    const at = { application: 'shop', environment: 'production', release: '1', zone: 'a' };
    const told = samplesOf(families, 'belay_requests_total').map(({ labels, value }) => {
      expect(labels).toMatchObject(at);
      return [labels.outcome, labels.class, value];
    });
    expect(told).toEqual([
      ['ok', '2xx', 9],
      ['ok', '3xx', 1],
      ['lost', '5xx', 2],
      ['client-aborted', '2xx', 1],
      ['client-aborted', 'none', 2],
    ]);
    expect(samplesOf(families, 'belay_retries_total')).toMatchObject([{ labels: at, value: 5 }]);
    expect(samplesOf(families, 'belay_unaccounted_total')).toMatchObject([{ value: 7 }]);
    expect(samplesOf(families, 'belay_requests_in_flight')).toMatchObject([{ value: 4 }]);
    const turnedAway = samplesOf(families, 'belay_connections_turned_away_total');
    expect(turnedAway).toMatchObject([{ value: 9 }]);
  });

  it('tell latencies in seconds, in buckets that add up', async () => {
    passed([rowOf({ latency: latency(300, 300, 4_000, 700_000, 120_000_000) })]);
    const samples = samplesOf(await scrape(), 'belay_request_duration_seconds');
    const atMost = (le: string) => samples.find(({ labels }) => labels.le === le)?.value;
    expect([atMost('0.0005'), atMost('0.005'), atMost('1'), atMost('60')]).toEqual([2, 3, 4, 4]);
    const sum = samples.find(({ name }) => name.endsWith('_sum'))?.value ?? 0;
    expect(sum / 120.7046).toBeCloseTo(1, 2);
  });

  it('tell what the cache answered beside what instances did', async () => {
    simulated.edge.setLedger({
      rows: [],
      ...{ unaccounted: 0, inFlight: 0, tunnels: 0 },
      cache: { [KEY]: { ...noCacheCounts(), hits: 3, passed: 1, refreshes: 2, savedBytes: 600 } },
    });
    simulated.edge.setCacheRoom({ count: 2, sizeBytes: 900 }, { count: 5, sizeBytes: 7_000 });
    const families = await scrape();
    const where = { application: 'shop', environment: 'production' };
    expect(samplesOf(families, 'belay_cache_requests_total')).toMatchObject([
      { labels: { ...where, result: 'hits' }, value: 3 },
      { labels: { result: 'stale' }, value: 0 },
      { labels: { result: 'collapsed' }, value: 0 },
      { labels: { result: 'stored' }, value: 0 },
      { labels: { result: 'passed' }, value: 1 },
    ]);
    const one = (name: string) => samplesOf(families, `belay_cache_${name}`)[0]?.value;
    expect([one('refreshes_total'), one('saved_bytes_total')]).toEqual([2, 600]);
    expect([one('memory_bytes'), one('memory_responses')]).toEqual([900, 2]);
    expect([one('disk_bytes'), one('disk_responses')]).toEqual([7_000, 5]);
  });

  it('never decrease while the ledger only grows', async () => {
    const grow = (times: number) => {
      const outcomes = { ...noOutcomes(), ok: 3 * times, 'client-aborted': times };
      const us = Array.from({ length: 3 * times }, (_, index) => 200 * (index + 1));
      const answers = { 'ok 2xx': 3 * times };
      passed([rowOf({ outcomes, answers, retried: times, latency: latency(...us) })], times);
    };
    const counters = (families: Map<string, ParsedFamily>) =>
      new Map(
        [...families.values()]
          .filter(({ type }) => type !== 'gauge')
          .flatMap(({ samples }) => samples)
          .map(({ name, labels, value }) => [name + JSON.stringify(labels), value]),
      );
    grow(1);
    let before = counters(await scrape());
    for (const times of [2, 3, 10]) {
      grow(times);
      const now = counters(await scrape());
      for (const [series, value] of before) expect(now.get(series)).toBeGreaterThanOrEqual(value);
      before = now;
    }
  });

  it('tell of every instance what passed through it, and how it is', async () => {
    const [first] = (await simulated.status()).instances;
    const id = first?.id ?? '';
    simulated.edge.setTraffic([
      { pool: POOL, id, requests: 100, appErrors: 2, failures: 1, latency: latency(900) },
    ]);
    simulated.edge.setInside(POOL, id, { inFlight: 3, tunnels: 0 });
    const families = await scrape();
    const labels = { application: 'shop', environment: 'production', release: '1', instance: id };
    expect(samplesOf(families, 'belay_instance_requests_total')).toMatchObject([
      { labels, value: 100 },
    ]);
    expect(samplesOf(families, 'belay_instance_errors_total')).toMatchObject([
      { labels: { ...labels, kind: 'app' }, value: 2 },
      { labels: { ...labels, kind: 'failure' }, value: 1 },
    ]);
    expect(samplesOf(families, 'belay_instance_in_flight')).toMatchObject([{ labels, value: 3 }]);
    expect(samplesOf(families, 'belay_instance_up').map(({ value }) => value)).toEqual([1, 1, 1]);
    simulated.edge.setHealth(POOL, id, 'unhealthy', 'answered 500 to GET /');
    const up = samplesOf(await scrape(), 'belay_instance_up');
    expect(up.find((sample) => sample.labels.instance === id)?.value).toBe(0);
  });

  it('tell the capacity, where instances are, what waits and the numbers of the app’s own', async () => {
    simulated.edge.setWaiting({ [KEY]: 12 });
    simulated.control.metrics.report(KEY, 'backlog', 1_200.5);
    await simulated.clock.advance(1_000);
    const families = await scrape();
    const at = { application: 'shop', environment: 'production' };
    const values = ['min', 'desired', 'max'].map(
      (bound) => samplesOf(families, `belay_environment_instances_${bound}`)[0],
    );
    expect(values).toMatchObject([2, 3, 6].map((value) => ({ labels: at, value })));
    const states = samplesOf(families, 'belay_environment_instances');
    expect(Object.fromEntries(states.map(({ labels, value }) => [labels.state, value]))).toEqual({
      pending: 0,
      'in-service': 3,
      draining: 0,
      standby: 0,
      warmed: 0,
      terminating: 0,
    });
    const waiting = () => samplesOf(families, 'belay_environment_requests_waiting');
    expect(waiting()).toMatchObject([{ labels: at, value: 12 }]);
    const own = samplesOf(families, 'belay_app_metric');
    expect(own).toMatchObject([{ labels: { ...at, name: 'backlog' }, value: 1_200.5 }]);
  });

  it('say that the edge is away, and fail not', async () => {
    simulated.edge.setReachable(false);
    const families = await scrape();
    expect(samplesOf(families, 'belay_edge_up')).toMatchObject([{ value: 0 }]);
    expect(samplesOf(families, 'belay_build_info')).toMatchObject([
      { labels: { version: 'test' } },
    ]);
    expect(families.has('belay_requests_total')).toBe(false);
    expect(families.has('belay_instance_up')).toBe(false);
    expect(samplesOf(families, 'belay_instance_cpu_cores')).toHaveLength(3);
    expect(samplesOf(families, 'belay_environment_instances_desired')).toMatchObject([
      { value: 3 },
    ]);
  });

  it('escape what would break a line', () => {
    const value = 'a "quoted" \\ and\nbroken';
    const samples = [{ labels: { value, empty: '' }, value: 1 }];
    const text = exposition([
      { name: 'x_total', type: 'counter', help: 'One \\ two\nthree', samples },
    ]);
    expect(text.split('\n')).toHaveLength(4);
    expect(parseExposition(text).get('x_total')?.samples[0]?.labels).toEqual({ value });
  });
});

describe('the port of metrics', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
  ])('%j is %j', (value, address) => {
    expect(parseMetricsAddress(value)).toEqual(address);
  });

  it.each(['metrics', '70000', '0.0.0.0:9464', '192.168.1.5:9464', 'example.com:80', '9464:'])(
    'refuses %s',
    (value) => {
      expect(() => parseMetricsAddress(value)).toThrow(
        expect.objectContaining({ code: 'bad-port', subject: 'BELAY_METRICS' }),
      );
    },
  );

  it('answers who asks by an address of this machine, for metrics alone', async () => {
    const api = createMetricsApi(simulated.control);
    const server = await listenMetrics(api, { host: '127.0.0.1', port: 0 });
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(answer.status).toBe(200);
    expect(parseExposition(await answer.text()).has('belay_edge_workers')).toBe(true);
    expect((await fetch(`http://127.0.0.1:${port}/v1/daemon`)).status).toBe(404);
    await expect(listenMetrics(api, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'port-in-use',
    });
    const headers = { host: 'rebound.example' };
    expect((await api.request('/metrics', { headers })).status).toBe(403);
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
});
