import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ended,
  type LiveEdge,
  liveEdge,
  lost,
  processesOf,
  serve,
  snapshotOf,
  startLoad,
} from '../../../test/fixtures/live-edge.ts';
import { systemClock } from '../../kernel/clock.ts';
import { createEdgeClient } from '../client.ts';

/** The edge's processes for real: killed, hung, upgraded, adopted. */

let live: LiveEdge;
beforeEach(async () => {
  live = await liveEdge();
});
afterEach(() => live.dispose());

const kill = (pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL') => {
  if (pid !== undefined) process.kill(pid, signal);
};

/** Waits for processes to end, which nobody announces. */
async function gone(home: string): Promise<void> {
  while (processesOf(home).length > 0) await systemClock.sleep(10);
}

describe('publishing', () => {
  it('resolves when the workers acknowledge, and refuses a number that is not newer', async () => {
    await live.edge.start();
    await live.edge.publish(snapshotOf(3, live.app));
    const status = await live.edge.status();
    expect(status.snapshot).toBe(3);
    expect(status.workers.map((worker) => worker.snapshot)).toEqual([3]);
    for (const number of [2, 3]) {
      await expect(live.edge.publish(snapshotOf(number, live.app))).rejects.toMatchObject({
        code: 'stale-snapshot',
        details: { current: 3 },
      });
    }
  });

  it('refuses a snapshot that is not one, by its key path', async () => {
    await live.edge.start();
    const bad = snapshotOf(1, live.app);
    for (const target of bad.pools[0]?.targets ?? []) target.port = 0;
    await expect(live.edge.publish(bad)).rejects.toMatchObject({
      code: 'bad-snapshot',
      subject: 'pools.0.targets.0.port',
    });
    expect((await live.edge.status()).snapshot).toBe(0);
  });

  it('takes concurrent snapshots in the order they came', async () => {
    await live.edge.start();
    const numbers = [1, 2, 3, 4, 5];
    await Promise.all(numbers.map((number) => live.edge.publish(snapshotOf(number, live.app))));
    expect((await live.edge.status()).snapshot).toBe(5);
  });

  it('replaces a worker that hangs, and does not wait for it longer than its deadline', async () => {
    await serve(live);
    const hung = (await live.edge.status()).workers[0]?.pid;
    kill(hung, 'SIGSTOP');
    const startedAt = systemClock.monotonic();
    await live.edge.publish(snapshotOf(2, live.app));
    expect(systemClock.monotonic() - startedAt).toBeLessThan(5_000);
    expect(live.events).toContainEqual(
      expect.objectContaining({ kind: 'worker-died', pid: hung, signal: 'SIGKILL' }),
    );
    const { workers } = await live.edge.status();
    expect(workers.map((worker) => worker.pid)).not.toContain(hung);
  });
});

describe('a worker that is killed', () => {
  it('is replaced, and connections made meanwhile are served', async () => {
    const port = await serve(live);
    const load = startLoad(port, false);
    await load.more(50);
    const died = live.nextEvent((event) => event.kind === 'worker-died');
    kill((await live.edge.status()).workers[0]?.pid);
    const death = await died;
    await load.more(50);
    await load.stop();
    const reading = await live.edge.ledger();
    // Only what was inside it when it died can fail.
    expect(load.failures.length).toBeLessThanOrEqual(1);
    expect(lost(reading)).toBe(0);
    expect(death).toMatchObject({ signal: 'SIGKILL' });
    const missing = load.passed + load.failures.length - ended(reading);
    expect(missing).toBeGreaterThanOrEqual(0);
    expect(missing).toBeLessThanOrEqual(reading.unaccounted);
  });
});

describe('a supervisor that is killed', () => {
  it('is replaced by exactly one, without a failed request, and the account goes on', async () => {
    const port = await serve(live);
    const loads = [startLoad(port, true), startLoad(port, false)];
    await Promise.all(loads.map((load) => load.more(50)));
    const before = await live.edge.status();
    const back = live.nextEvent((event) => event.kind === 'connected');
    kill(before.pid);
    await back;
    await Promise.all(loads.map((load) => load.more(50)));
    for (const load of loads) await load.stop();
    const [reading, after] = [await live.edge.ledger(), await live.edge.status()];
    expect(loads.flatMap((load) => load.failures)).toEqual([]);
    expect(after.pid).not.toBe(before.pid);
    expect(after.workers).toEqual(before.workers);
    expect(after.generation).toBe(before.generation);
    expect(after.targets).toMatchObject([{ health: 'healthy', since: before.targets[0]?.since }]);
    expect(ended(reading)).toBe(loads.reduce((total, load) => total + load.passed, 0));
    expect(reading.unaccounted).toBe(0);
    expect(processesOf(live.home).sort()).toEqual(
      [after.pid, ...after.workers.map((worker) => worker.pid)].sort(),
    );
  });

  it('answers what was asked of it when it died, once another runs', async () => {
    await live.edge.start();
    const { pid } = await live.edge.status();
    kill(pid, 'SIGSTOP');
    const published = live.edge.publish(snapshotOf(1, live.app));
    const read = live.edge.ledger();
    kill(pid);
    await published;
    expect((await read).unaccounted).toBe(0);
    expect((await live.edge.status()).snapshot).toBe(1);
  });
});

describe('an upgrade', () => {
  it('fails no request and keeps the account', async () => {
    const port = await serve(live);
    const loads = [startLoad(port, true), startLoad(port, false)];
    await Promise.all(loads.map((load) => load.more(20)));
    const before = await live.edge.status();
    for (const generation of [2, 3]) {
      const after = await live.edge.upgrade();
      expect(after.generation).toBe(generation);
      expect(after.workers.filter((worker) => worker.accepting)).toMatchObject([{ generation }]);
      await Promise.all(loads.map((load) => load.more(20)));
    }
    for (const load of loads) await load.stop();
    const [reading, after] = [await live.edge.ledger(), await live.edge.status()];
    expect(loads.flatMap((load) => load.failures)).toEqual([]);
    expect(after.listeners).toEqual(before.listeners);
    expect(ended(reading)).toBe(loads.reduce((total, load) => total + load.passed, 0));
    expect(lost(reading)).toBe(0);
    expect(reading.unaccounted).toBe(0);
  });
});

describe('an edge that is killed whole', () => {
  it('is brought back on its port by the driver, and admits what it does not know', async () => {
    const port = await serve(live);
    const load = startLoad(port, false);
    await load.more(100);
    await load.stop();
    const back = live.nextEvent((event) => event.kind === 'connected');
    for (const pid of processesOf(live.home)) kill(pid);
    await back;
    const again = startLoad(port, false);
    await again.more(10);
    await again.stop();
    const reading = await live.edge.ledger();
    expect(again.failures).toEqual([]);
    expect((await live.edge.status()).listeners[0]?.port).toBe(port);
    const missing = load.passed + again.passed - ended(reading);
    expect(missing).toBeGreaterThanOrEqual(0);
    expect(missing).toBeLessThanOrEqual(reading.unaccounted);
  });
});

describe('a driver', () => {
  it('lets go of an edge that another adopts', async () => {
    const port = await serve(live);
    const before = await live.edge.status();
    await live.edge.close();
    const load = startLoad(port, true);
    await load.more(5);
    await load.stop();
    expect(load.failures).toEqual([]);
    const other = live.driver();
    expect(await other.start()).toMatchObject({ pid: before.pid, snapshot: 1 });
    await other.stop(1_000);
  });

  it('leaves no process, socket or port behind when it stops the edge', async () => {
    const port = await serve(live);
    await live.edge.stop(1_000);
    expect(processesOf(live.home)).toEqual([]);
    expect(existsSync(`${live.home}/edge/control.sock`)).toBe(false);
    const server = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    server.close();
    await expect(live.edge.status()).rejects.toMatchObject({ code: 'edge-unreachable' });
  });

  it('starts a stopped edge again with the account it had, and asks its targets anew', async () => {
    const port = await serve(live);
    const load = startLoad(port, false);
    await load.more(10);
    await load.stop();
    await live.edge.stop(1_000);
    live.app.answer.health = 500;
    const other = live.driver();
    const status = await other.start();
    expect(status.targets).toMatchObject([{ health: 'initial' }]);
    expect(ended(await other.ledger())).toBe(load.passed);
    await other.stop(1_000);
  });

  it('names who holds the port, or takes the next one when it may', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const options = {
      home: live.home,
      hosts: ['127.0.0.1'],
      port,
      clock: systemClock,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    };
    await expect(createEdgeClient({ ...options, fallback: false }).start()).rejects.toMatchObject({
      code: 'port-in-use',
      details: { port, pid: process.pid },
      hint: expect.stringContaining('BELAY_HTTP=0'),
    });
    const edge = createEdgeClient({ ...options, fallback: true });
    const status = await edge.start();
    expect(status.listeners[0]?.port).toBeGreaterThan(port);
    await edge.stop(1_000);
    server.close();
  });

  it('refuses a home whose sockets would have too long a path', () => {
    const home = `/tmp/${'x'.repeat(100)}`;
    const options = { home, hosts: ['127.0.0.1'], port: 0, fallback: false };
    const make = () =>
      createEdgeClient({
        ...options,
        clock: systemClock,
        log: { debug() {}, info() {}, warn() {}, error() {} },
      });
    expect(make).toThrow(expect.objectContaining({ code: 'path-too-long' }));
  });
});

describe('the home', () => {
  it('is for its owner alone', async () => {
    await live.edge.start();
    const mode = (path: string) => statSync(`${live.home}/edge${path}`).mode & 0o777;
    expect(mode('')).toBe(0o700);
    expect(mode('/control.sock') & 0o077).toBe(0);
    expect(mode('/workers.sock') & 0o077).toBe(0);
    const record = JSON.parse(readFileSync(`${live.home}/edge/supervisor.json`, 'utf8'));
    expect(record.pid).toBe((await live.edge.status()).pid);
  });

  it('takes the edge with it when it disappears', async () => {
    await live.edge.start();
    await live.edge.close();
    rmSync(live.home, { recursive: true });
    await gone(live.home);
    expect(processesOf(live.home)).toEqual([]);
  });
});
