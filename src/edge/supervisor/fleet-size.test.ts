import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accepting,
  ended,
  type LiveEdge,
  liveEdge,
  serve,
  snapshotOf,
  startLoad,
} from '../../../test/fixtures/live-edge.ts';
import { systemClock } from '../../kernel/clock.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../../model/edge-settings.ts';
import { edgeHome } from '../home.ts';
import { readWorkerRecords } from '../worker-record.ts';

/** Settings that come with a snapshot, in real processes. */

let live: LiveEdge;
beforeEach(async () => {
  live = await liveEdge();
});
afterEach(() => live.dispose());

const publish = (number: number, settings: Partial<EdgeSettings>) =>
  live.edge.publish(snapshotOf(number, live.app, {}, settings));

const acceptingPids = async () =>
  (await live.edge.status()).workers.filter((worker) => worker.accepting).map(({ pid }) => pid);

describe('the number of workers', () => {
  it('follows the snapshot, up and down, without a failed request', async () => {
    const port = await serve(live);
    const [first] = await acceptingPids();
    const loads = [startLoad(port, true), startLoad(port, false), startLoad(port, false)];
    const more = () => Promise.all(loads.map((load) => load.more(20)));
    await more();
    await publish(2, { workers: 3 });
    await accepting(live, 3);
    expect(await acceptingPids()).toContain(first);
    await more();
    await publish(3, { workers: 1 });
    expect(await live.edge.status()).toMatchObject({ snapshot: 3 });
    // The one that has served longest stays.
    expect(await acceptingPids()).toEqual([first]);
    await more();
    await Promise.all(loads.map((load) => load.stop()));
    expect(loads.flatMap((load) => load.failures)).toEqual([]);
    const passed = loads.reduce((total, load) => total + load.passed, 0);
    const reading = await live.edge.ledger();
    expect([ended(reading), reading.unaccounted]).toEqual([passed, 0]);
  });

  it('is kept by a supervisor that comes after, and by an upgrade', async () => {
    await serve(live, 2);
    const back = live.nextEvent((event) => event.kind === 'connected');
    process.kill((await live.edge.status()).pid, 'SIGKILL');
    await back;
    expect(await acceptingPids()).toHaveLength(2);
    const { generation, workers } = await live.edge.upgrade();
    expect(workers.filter((worker) => worker.generation === generation)).toHaveLength(2);
  });
});

describe('a snapshot with bad settings', () => {
  it.each<[string, unknown, string]>([
    ['a size below its bound', { headBytes: 1 }, 'settings.headBytes'],
    ['no number of workers', { workers: 0 }, 'settings.workers'],
    ['no range of addresses', { trustedProxies: ['10.0.0.0/33'] }, 'settings.trustedProxies.0'],
    ['an unknown key', { conections: 5 }, 'settings'],
  ])('such as %s is refused whole, and the one in force stays', async (_, bad, subject) => {
    const port = await serve(live);
    const settings = { ...DEFAULT_EDGE_SETTINGS, workers: 2, ...(bad as object) };
    const refused = live.edge.publish({
      ...snapshotOf(2, live.app, { state: 'draining' }),
      settings,
    });
    await expect(refused).rejects.toMatchObject({ code: 'bad-snapshot', subject });
    const status = await live.edge.status();
    expect([status.snapshot, status.workers.length]).toEqual([1, 1]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });
});

describe('two workers on one listener', () => {
  const open: Socket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });

  const connections = (port: number, count: number) =>
    Promise.all(
      Array.from(
        { length: count },
        () =>
          new Promise<void>((resolve, reject) => {
            const socket = connect(port, '127.0.0.1');
            open.push(socket);
            socket.on('error', reject);
            socket.once('data', () => resolve());
            socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
          }),
      ),
    );

  const shares = () =>
    readWorkerRecords(edgeHome(live.home).workers).map(({ share: [count] }) => count);

  it('share a burst of connections, whoever runs first', { timeout: 20_000 }, async () => {
    const port = await serve(live, 2);
    await connections(port, 64);
    // Each says what it has ten times a second.
    while (shares().reduce((sum, each) => sum + each, 0) < 64) await systemClock.sleep(20);
    expect(Math.min(...shares())).toBeGreaterThanOrEqual(64 * 0.35);
  });

  it('do not wait for one that hangs', { timeout: 20_000 }, async () => {
    const port = await serve(live, 2);
    const [, pid = 0] = await acceptingPids();
    process.kill(pid, 'SIGSTOP');
    // What the stopped one would have had comes late, and comes.
    await connections(port, 20);
    process.kill(pid, 'SIGCONT');
  });
});
