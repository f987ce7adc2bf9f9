import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type LiveEdge, liveEdge, snapshotOf } from '../../../test/fixtures/live-edge.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { Pool, Snapshot } from '../../model/snapshot.ts';
import type { TargetStatus } from '../../model/target.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';

/** How targets are judged, by a real edge with its supervisor and its workers. */

let live: LiveEdge;
beforeEach(async () => {
  live = await liveEdge();
});
afterEach(() => live.dispose());

/** A pool of these ports, changed as said. */
function snapshotWith(ports: readonly number[], changes: (pool: Pool) => Partial<Pool>): Snapshot {
  const base = snapshotOf(1, live.app);
  const pools = base.pools.map((pool) => {
    const [template] = pool.targets;
    const targets = ports.flatMap((port) =>
      template ? [{ ...template, id: `${port}`, port }] : [],
    );
    const changed = { ...pool, targets };
    return { ...changed, ...changes(changed) };
  });
  return { ...base, pools };
}

/** Resolves when all targets are as they should be; with them. */
async function targets(holds: (targets: TargetStatus[]) => boolean): Promise<TargetStatus[]> {
  const event = live.nextEvent((each) => each.kind === 'targets' && holds(each.targets));
  const { targets: now } = await live.edge.status();
  if (holds(now)) return now;
  const told = await event;
  return told.kind === 'targets' ? told.targets : [];
}

async function served(snapshot: Snapshot): Promise<number> {
  const { listeners } = await live.edge.start();
  await live.edge.publish(snapshot);
  await targets((all) => all.every(({ health }) => health === 'healthy'));
  return listeners[0]?.port ?? 0;
}

/** Asks once; with the status and how long it took. */
function ask(port: number, agent: Agent): Promise<{ status: number; tookMs: number }> {
  const startedMs = systemClock.monotonic();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume();
      response.on('end', () => {
        const tookMs = systemClock.monotonic() - startedMs;
        resolve({ status: response.statusCode ?? 0, tookMs });
      });
    }).on('error', reject);
  });
}

function agent(): Agent {
  const made = new Agent({ keepAlive: true });
  onTestFinished(() => made.destroy());
  return made;
}

/** An app that passes its check and fails everything else, and what it says of its database. */
async function failingApp(): Promise<{ port: number; database: 'up' | 'down' }> {
  const app = { port: 0, database: 'up' as 'up' | 'down' };
  const server = createServer((request, response) => {
    if (request.url === '/readyz') {
      response.statusCode = app.database === 'up' ? 200 : 503;
      const database = { status: app.database, message: 'connection refused' };
      response.end(JSON.stringify({ status: 'x', details: { database } }));
    } else {
      response.statusCode = request.url === '/healthz' ? 200 : 500;
      response.end();
    }
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  app.port = (server.address() as AddressInfo).port;
  return app;
}

describe('a target that fails all requests but its check', () => {
  const ejection = { consecutiveErrors: 5, timeMs: 2_000, maxPercent: 50 };
  const ejecting = () => ({ balancing: { ...DEFAULT_TRAFFIC.balancing, ejection } });

  it('is told as left out, by a new supervisor too, and is back in time', async () => {
    const bad = await failingApp();
    const port = await served(snapshotWith([live.app.port, bad.port], ejecting));
    const client = agent();
    for (let i = 0; i < 20; i += 1) await ask(port, client);
    const isLeftOut = ({ ejection: why }: TargetStatus) => why !== null;
    const told = await targets((all) => all.some(isLeftOut));
    expect(told.filter(isLeftOut)).toMatchObject([
      { id: `${bad.port}`, health: 'healthy', ejection: '5 errors in a row; left out for 2 s' },
    ]);
    const connected = live.nextEvent(({ kind }) => kind === 'connected');
    process.kill((await live.edge.status()).pid, 'SIGKILL');
    await connected;
    expect((await live.edge.status()).targets.filter(isLeftOut)).toHaveLength(1);
    await targets((all) => !all.some(isLeftOut));
    expect((await ask(port, client)).status + (await ask(port, client)).status).toBe(700);
  });
});

it('tells what a target depends on, and routes to it all the same', async () => {
  const app = await failingApp();
  app.database = 'down';
  await served(
    snapshotWith([app.port], ({ health }) => ({ health: { ...health, deepPath: '/readyz' } })),
  );
  const [failing] = await targets((all) => all[0]?.deep?.passed === false);
  expect(failing).toMatchObject({
    health: 'healthy',
    deep: {
      passed: false,
      description: 'database: connection refused',
      parts: [{ name: 'database', passed: false, detail: 'connection refused' }],
    },
  });
  app.database = 'up';
  const [well] = await targets((all) => all[0]?.deep?.passed === true);
  expect(well?.deep?.parts).toEqual([{ name: 'database', passed: true, detail: '' }]);
});

describe('one of four instances that stops', () => {
  const responseHeadMs = 1_500;
  const program = `const server = require('node:http').createServer((_, response) => response.end());
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

  async function instance(): Promise<{ child: ChildProcess; port: number }> {
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [said] = await once(child.stdout, 'data');
    return { child, port: Number(String(said)) };
  }

  it('is out of rotation by its check, holds no request up beyond its deadline, and comes back', async () => {
    const instances = await Promise.all(Array.from({ length: 4 }, instance));
    const [stopped] = instances;
    const check = { intervalMs: 300, timeoutMs: 200 };
    const port = await served(
      snapshotWith(
        instances.map((each) => each.port),
        ({ health, balancing }) => ({
          health: { ...health, ...check },
          balancing: { ...balancing, responseHeadMs },
        }),
      ),
    );
    const client = agent();
    const answers: { status: number; tookMs: number; askedMs: number }[] = [];
    let running = true;
    const loops = Array.from({ length: 8 }, async () => {
      while (running) {
        const askedMs = systemClock.monotonic();
        answers.push({ ...(await ask(port, client)), askedMs });
        await systemClock.sleep(2);
      }
    });
    const isStopped = ({ id }: TargetStatus) => id === `${stopped?.port}`;

    stopped?.child.kill('SIGSTOP');
    const stoppedMs = systemClock.monotonic();
    const told = await targets((all) => all.find(isStopped)?.health === 'unhealthy');
    const outMs = systemClock.monotonic();
    expect(told.find(isStopped)).toMatchObject({
      reason: 'Target.Timeout',
      description: 'no answer to GET /healthz within 0.2 s',
    });
    // Two failed checks, an interval apart, and what a busy machine takes.
    expect(outMs - stoppedMs).toBeLessThan(2 * (300 + 200) + 2_000);
    await systemClock.sleep(responseHeadMs);

    stopped?.child.kill('SIGCONT');
    await targets((all) => all.every(({ health }) => health === 'healthy'));
    const backMs = systemClock.monotonic();
    running = false;
    await Promise.all(loops);
    expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(responseHeadMs + 1_000);
    const failed = answers.filter(({ status }) => status !== 200);
    expect(failed.filter(({ status }) => status !== 504)).toEqual([]);
    expect(failed.filter(({ askedMs }) => askedMs > outMs + 50 && askedMs < backMs)).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(2 * loops.length);
  });
});
