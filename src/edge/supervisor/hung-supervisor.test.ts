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

/** Found out after ten seconds, so these take their time. */

let live: LiveEdge;
afterEach(() => live.dispose());

describe.skipIf(!process.env.BELAY_NIGHTLY)('a supervisor that hangs', () => {
  it('is replaced by its workers, without a failed request and with the account', async () => {
    live = await liveEdge();
    const port = await serve(live, 2);
    const before = await live.edge.status();
    // Nobody but the workers is there to notice.
    await live.edge.close();
    const load = startLoad(port, false);
    await load.more(50);
    process.kill(before.pid, 'SIGSTOP');
    while (processesOf(live.home).includes(before.pid)) await load.more(10);
    const other = live.driver();
    const after = await other.start();
    await load.more(50);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(after.pid).not.toBe(before.pid);
    expect(after.workers).toEqual(expect.arrayContaining(before.workers));
    const reading = await other.ledger();
    expect([ended(reading), reading.unaccounted]).toEqual([load.passed, 0]);
  }, 60_000);

  it('does what it was asked once another has taken its place', async () => {
    live = await liveEdge();
    await serve(live);
    const { pid } = await live.edge.status();
    process.kill(pid, 'SIGSTOP');
    await live.edge.publish(snapshotOf(2, live.app));
    expect(await live.edge.status()).toMatchObject({ snapshot: 2 });
    expect((await live.edge.status()).pid).not.toBe(pid);
  }, 60_000);

  it('is replaced by a driver that starts, though no worker is left', async () => {
    live = await liveEdge();
    const port = await serve(live);
    const { pid, workers } = await live.edge.status();
    await live.edge.close();
    process.kill(pid, 'SIGSTOP');
    for (const worker of workers) process.kill(worker.pid, 'SIGKILL');
    const startedAt = systemClock.monotonic();
    const other = live.driver();
    expect((await other.start()).pid).not.toBe(pid);
    expect(systemClock.monotonic() - startedAt).toBeLessThan(20_000);
    expect(processesOf(live.home)).not.toContain(pid);
    expect(port).toBeGreaterThan(0);
  }, 60_000);
});
