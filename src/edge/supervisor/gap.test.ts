import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ended,
  type LiveEdge,
  liveEdge,
  processesOf,
  serve,
  startLoad,
} from '../../../test/fixtures/live-edge.ts';
import { systemClock } from '../../kernel/clock.ts';

/** What happens while there is no supervisor, and none can be started, for a while. */

const EDGE_PROGRAM = join(import.meta.dirname, '../main.ts');
/** A ceiling is at most so far above what was accepted: a lease, and the margin before it. */
const AHEAD = 1_024 + 32;
const WORKING = `await import(${JSON.stringify(EDGE_PROGRAM)});\n`;

let directory: string;
let program: string;
let live: LiveEdge;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'be-'));
  program = join(directory, 'edge.ts');
  writeFileSync(program, WORKING);
  live = await liveEdge({ program });
});
afterEach(async () => {
  await live.dispose();
  rmSync(directory, { recursive: true });
});

/** Kills the supervisor for good; returns how to let another one start, and wait for it. */
async function killSupervisor(): Promise<() => Promise<void>> {
  const { pid } = await live.edge.status();
  const back = live.nextEvent((event) => event.kind === 'connected');
  writeFileSync(program, 'process.exit(1);\n');
  process.kill(pid, 'SIGKILL');
  await until(() => !processesOf(live.home).includes(pid));
  return async () => {
    writeFileSync(program, WORKING);
    await back;
  };
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await systemClock.sleep(5);
};

describe('without a supervisor', () => {
  it('a worker that has drained leaves its account behind', async () => {
    const port = await serve(live);
    live.app.answer.delayMs = 1_500;
    const slow = fetch(`http://127.0.0.1:${port}/slow`);
    while ((await live.edge.ledger()).inFlight === 0) await systemClock.sleep(5);
    const { workers } = await live.edge.upgrade();
    const draining = workers.find(({ accepting }) => !accepting)?.pid ?? 0;
    const revive = await killSupervisor();
    expect((await slow).status).toBe(200);
    await until(() => !processesOf(live.home).includes(draining));
    await revive();
    const reading = await live.edge.ledger();
    expect([ended(reading), reading.unaccounted]).toEqual([1, 0]);
  });

  it('a worker that is killed is admitted to have taken what it may have', async () => {
    const port = await serve(live);
    const [worker] = (await live.edge.status()).workers;
    const load = startLoad(port, true);
    await load.more(10);
    const revive = await killSupervisor();
    await load.more(200);
    await load.stop();
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await revive();
    const reading = await live.edge.ledger();
    expect(load.failures).toEqual([]);
    const missing = load.passed - ended(reading);
    expect(missing).toBeGreaterThanOrEqual(200);
    expect(missing).toBeLessThanOrEqual(reading.unaccounted);
    expect(reading.unaccounted).toBeLessThanOrEqual(missing + AHEAD);
  });

  it.skipIf(!process.env.BELAY_NIGHTLY)(
    'everybody may be killed, one after the other, and each is admitted once',
    async () => {
      const port = await serve(live);
      const records = () => readdirSync(join(live.home, 'edge/workers'));
      const settled: string[] = [];
      let passed = 0;
      for (let round = 0; round < 2; round += 1) {
        const load = startLoad(port, true);
        await load.more(100);
        await load.stop();
        passed += load.passed;
        settled.push(...records());
        const back = live.nextEvent((event) => event.kind === 'connected');
        const { pid, workers } = await live.edge.status();
        for (const victim of [pid, workers[0]?.pid ?? 0]) process.kill(victim, 'SIGKILL');
        await back;
      }
      const reading = await live.edge.ledger();
      const missing = passed - ended(reading);
      expect(missing).toBeGreaterThanOrEqual(0);
      expect(missing).toBeLessThanOrEqual(reading.unaccounted);
      expect(reading.unaccounted).toBeLessThanOrEqual(missing + 2 * AHEAD);
      expect(await live.edge.ledger()).toMatchObject({ unaccounted: reading.unaccounted });
      expect(settled).toHaveLength(2);
      for (const record of settled) expect(records()).not.toContain(record);
    },
  );
});
