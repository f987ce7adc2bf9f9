import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accepting,
  type LiveEdge,
  liveEdge,
  serve,
  snapshotOf,
  startLoad,
} from '../../../test/fixtures/live-edge.ts';
import { systemClock } from '../../kernel/clock.ts';
import { edgeHome } from '../home.ts';

/** What the edge's processes count and write down together. */

let live: LiveEdge;
beforeEach(async () => {
  live = await liveEdge();
});
afterEach(() => live.dispose());

/** Ends with so many requests that passed. */
async function pass(port: number, requests: number): Promise<number> {
  const loads = [startLoad(port, true), startLoad(port, false)];
  await Promise.all(loads.map((load) => load.more(requests)));
  await Promise.all(loads.map((load) => load.stop()));
  expect(loads.flatMap((load) => load.failures)).toEqual([]);
  return loads.reduce((sum, load) => sum + load.passed, 0);
}

async function countedRequests(): Promise<number[]> {
  return (await live.edge.traffic()).map(({ requests }) => requests);
}

const workerPids = async (): Promise<number[]> =>
  (await live.edge.status()).workers.map(({ pid }) => pid);

describe('traffic by target', () => {
  it('includes everything up to the call, over all workers, and what ended ones had told', async () => {
    const port = await serve(live, 2);
    expect(await countedRequests()).toEqual([0]);
    let passed = await pass(port, 20);
    const [target] = await live.edge.traffic();
    expect(target).toMatchObject({ id: 'i-00000001', requests: passed, appErrors: 0, failures: 0 });
    expect(target?.latency.length).toBeGreaterThan(0);
    const [killed] = await workerPids();
    const died = live.nextEvent((event) => event.kind === 'worker-died');
    if (killed !== undefined) process.kill(killed, 'SIGKILL');
    await died;
    await accepting(live, 2);
    expect(await countedRequests()).toEqual([passed]);
    passed += await pass(port, 20);
    expect(await countedRequests()).toEqual([passed]);
  });

  it('is told by workers that retire, asked or not, and goes with its target', async () => {
    const port = await serve(live, 2);
    const passed = await pass(port, 20);
    await live.edge.publish(snapshotOf(2, live.app, {}, { workers: 1 }));
    while ((await workerPids()).length > 1) await systemClock.sleep(10);
    expect(await countedRequests()).toEqual([passed]);
    await live.edge.publish(snapshotOf(3, live.app, { id: 'i-00000002' }));
    expect(await live.edge.traffic()).toMatchObject([{ id: 'i-00000002', requests: 0 }]);
  });
});

describe('the access log', () => {
  it('gives its place up when it is full', async () => {
    await live.edge.start();
    const { accessLog } = edgeHome(live.home);
    writeFileSync(accessLog, 'first line\n');
    truncateSync(accessLog, 64 * 1024 * 1024);
    while (!existsSync(`${accessLog}.1`)) await systemClock.sleep(10);
    expect(existsSync(accessLog)).toBe(false);
  });

  it('of two workers is one file, turned on and off by the snapshot, whole after they ended', async () => {
    const port = await serve(live, 2);
    await pass(port, 5);
    const settings = { workers: 2, accessLog: 'json' } as const;
    await live.edge.publish(snapshotOf(2, live.app, {}, settings));
    let logged = await pass(port, 20);
    await live.edge.upgrade();
    logged += await pass(port, 20);
    await live.edge.publish(snapshotOf(3, live.app, {}, { ...settings, accessLog: 'off' }));
    await pass(port, 5);
    await live.edge.stop(1_000);
    const text = readFileSync(edgeHome(live.home).accessLog, 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(logged);
    expect(new Set(lines.map(({ requestId }) => requestId)).size).toBe(logged);
    // The first part of a request's id is its worker's.
    const workers = new Set(lines.map(({ requestId }) => requestId.split('-')[0]));
    expect(workers.size).toBeGreaterThanOrEqual(2);
  });
});
