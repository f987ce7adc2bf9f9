import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ended,
  type LiveEdge,
  liveEdge,
  processesOf,
  serve,
  snapshotOf,
  startLoad,
} from '../../../test/fixtures/live-edge.ts';
import { systemClock } from '../../kernel/clock.ts';

/** Who follows whom: supervisors, generations and targets that leave. */

const EDGE_PROGRAM = join(import.meta.dirname, '../main.ts');

let live: LiveEdge;
afterEach(() => live.dispose());

const logOf = (home: string) => readFileSync(`${home}/edge/edge.log`, 'utf8');

describe('two workers that lose their supervisor', () => {
  it('start it again between them, once, and keep the account', async () => {
    live = await liveEdge();
    const port = await serve(live, 2);
    const load = startLoad(port, false);
    await load.more(20);
    const before = await live.edge.status();
    expect(before.workers).toHaveLength(2);
    for (let round = 0; round < 3; round += 1) {
      const back = live.nextEvent((event) => event.kind === 'connected');
      process.kill((await live.edge.status()).pid, 'SIGKILL');
      await back;
      await load.more(20);
    }
    await load.stop();
    const [reading, after] = [await live.edge.ledger(), await live.edge.status()];
    expect(load.failures).toEqual([]);
    expect(after.workers).toEqual(expect.arrayContaining(before.workers));
    expect(ended(reading)).toBe(load.passed);
    // The supervisors that came second find the home taken and leave.
    while (processesOf(live.home).length > 3) await systemClock.sleep(10);
    expect(processesOf(live.home)).toContain(after.pid);
  });
});

describe('a worker that nobody has welcomed yet', () => {
  it('starts a supervisor too, when everybody else has been killed', async () => {
    live = await liveEdge();
    const port = await serve(live);
    const before = await live.edge.status();
    const died = live.nextEvent((event) => event.kind === 'worker-died');
    for (const { pid } of before.workers) process.kill(pid, 'SIGKILL');
    await died;
    const back = live.nextEvent((event) => event.kind === 'connected');
    process.kill(before.pid, 'SIGKILL');
    await back;
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    expect((await live.edge.status()).listeners).toEqual(before.listeners);
  });
});

describe('an upgrade while snapshots are published without a pause', () => {
  it('finds the new supervisor, and loses no snapshot', async () => {
    live = await liveEdge();
    await serve(live);
    let number = 10;
    let isOver = false;
    const publishing = (async () => {
      while (!isOver) {
        number += 1;
        await live.edge.publish(snapshotOf(number, live.app));
      }
    })();
    for (const generation of [2, 3, 4]) {
      expect((await live.edge.upgrade()).generation).toBe(generation);
    }
    isOver = true;
    await publishing;
    expect((await live.edge.status()).snapshot).toBe(number);
  });
});

describe('an upgrade to code that does not start', () => {
  it('is refused, and the old edge goes on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'be-'));
    const program = join(directory, 'edge.ts');
    writeFileSync(program, `await import(${JSON.stringify(EDGE_PROGRAM)});\n`);
    try {
      live = await liveEdge({ program });
      const port = await serve(live);
      const before = await live.edge.status();
      writeFileSync(program, 'throw new Error("broken");\n');
      await expect(live.edge.upgrade()).rejects.toMatchObject({ code: 'upgrade-failed' });
      expect(await live.edge.status()).toMatchObject({ pid: before.pid, generation: 1 });
      const load = startLoad(port, true);
      await load.more(5);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(logOf(live.home)).toContain('broken');
      writeFileSync(program, `await import(${JSON.stringify(EDGE_PROGRAM)});\n`);
      expect((await live.edge.upgrade()).generation).toBe(2);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe.skipIf(!process.env.BELAY_NIGHTLY)('a worker that hangs while nothing is deployed', () => {
  it('is replaced', async () => {
    live = await liveEdge();
    const port = await serve(live);
    const died = live.nextEvent((event) => event.kind === 'worker-died');
    process.kill((await live.edge.status()).workers[0]?.pid ?? 0, 'SIGSTOP');
    const waiting = fetch(`http://127.0.0.1:${port}/`);
    await died;
    expect((await waiting).status).toBe(200);
  });
});

describe('an old generation', () => {
  it('finishes what it has while the new one serves, and is in the account', async () => {
    live = await liveEdge();
    const port = await serve(live);
    live.app.answer.delayMs = 1_500;
    const slow = fetch(`http://127.0.0.1:${port}/slow`);
    await until(async () => (await live.edge.ledger()).inFlight === 1);
    const upgraded = await live.edge.upgrade();
    expect(upgraded.workers).toMatchObject([
      { generation: 1, accepting: false },
      { generation: 2, accepting: true },
    ]);
    live.app.answer.delayMs = 0;
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    expect(await (await slow).text()).toBe('hello');
    await until(async () => (await live.edge.status()).workers.length === 1);
    expect(ended(await live.edge.ledger())).toBe(2);
  });
});

describe('a target', () => {
  it('is told apart at once when it fails, with the reason, and when it recovers', async () => {
    live = await liveEdge();
    await serve(live);
    const sees = (health: string) =>
      live.nextEvent((event) => event.kind === 'targets' && event.targets[0]?.health === health);
    const failed = sees('unhealthy');
    live.app.answer.health = 503;
    expect(await failed).toMatchObject({
      targets: [
        {
          reason: 'Target.ResponseCodeMismatch',
          description: 'answered 503 to GET /healthz',
        },
      ],
    });
    const recovered = sees('healthy');
    live.app.answer.health = 200;
    expect(await recovered).toMatchObject({ targets: [{ reason: null, description: '' }] });
  });

  it('shows what is inside it while it drains, and says when it is empty', async () => {
    live = await liveEdge();
    const port = await serve(live);
    live.app.answer.delayMs = 500;
    const slow = fetch(`http://127.0.0.1:${port}/slow`);
    await until(async () => (await live.edge.ledger()).inFlight === 1);
    const drainUntil = systemClock.now() + 10_000;
    await live.edge.publish(snapshotOf(2, live.app, { state: 'draining', drainUntil }));
    // Whoever follows the events alone must not take the target for empty.
    const [last] = live.events.filter((event) => event.kind === 'targets').slice(-1);
    expect(last).toMatchObject({ targets: [{ health: 'draining', inFlight: 1 }] });
    expect((await live.edge.status()).targets).toMatchObject([{ health: 'draining', inFlight: 1 }]);
    const emptied = live.nextEvent(
      (event) => event.kind === 'targets' && event.targets[0]?.inFlight === 0,
    );
    expect(await emptied).toMatchObject({ targets: [{ health: 'draining', inFlight: 0 }] });
    expect((await slow).status).toBe(200);
  });
});

describe('a new supervisor', () => {
  it('knows what is inside the targets before it says so', async () => {
    live = await liveEdge();
    const port = await serve(live);
    live.app.answer.delayMs = 1_500;
    const slow = fetch(`http://127.0.0.1:${port}/slow`);
    await until(async () => (await live.edge.ledger()).inFlight === 1);
    const back = live.nextEvent((event) => event.kind === 'connected');
    process.kill((await live.edge.status()).pid, 'SIGKILL');
    expect(await back).toMatchObject({ status: { targets: [{ inFlight: 1, health: 'healthy' }] } });
    expect((await slow).status).toBe(200);
  });
});

describe('a supervisor that is asked to end', () => {
  it('lets requests finish, then leaves nothing', async () => {
    live = await liveEdge();
    const port = await serve(live);
    live.app.answer.delayMs = 300;
    const slow = fetch(`http://127.0.0.1:${port}/slow`);
    await until(async () => (await live.edge.ledger()).inFlight === 1);
    const { pid } = await live.edge.status();
    await live.edge.close();
    process.kill(pid, 'SIGTERM');
    expect(await (await slow).text()).toBe('hello');
    await until(async () => processesOf(live.home).length === 0);
  });
});

/** For what nobody announces. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(10);
}
