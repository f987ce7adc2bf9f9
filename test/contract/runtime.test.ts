import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../src/kernel/clock.ts';
import { randomHex } from '../../src/kernel/random.ts';
import type { Runtime, Slot, SlotSpec } from '../../src/runtime/driver.ts';
import { type Behaviour, createMemoryRuntime } from '../../src/runtime/memory.ts';
import { processBench, untilSlots } from '../fixtures/process-bench.ts';

/** What every runtime promises, whatever it runs instances on. */

type Mode = 'serve' | 'crash' | 'silent' | 'deaf';

interface Bench {
  runtime: Runtime;
  spec(mode: Mode): SlotSpec;
  /** Ends the instance's program from outside. */
  kill(slot: Slot): void;
  /** Lets time pass until the slots are so. */
  until(check: (slots: Slot[]) => boolean): Promise<Slot[]>;
  /** Lets time pass until the promise has settled. */
  settle<Value>(promise: Promise<Value>): Promise<Value>;
  /** The next life of the daemon; null where slots do not outlive it. */
  reopen: (() => Promise<Runtime>) | null;
  dispose(): Promise<void>;
}

async function openProcesses(): Promise<Bench> {
  const bench = await processBench();
  const runtime = await bench.open();
  return {
    runtime,
    spec: (mode) => bench.spec(mode),
    kill: (slot) => void process.kill(slot.pid ?? 0, 'SIGKILL'),
    until: (check) => untilSlots(runtime, check),
    settle: (promise) => promise,
    reopen: () => bench.open(),
    dispose: () => bench.dispose(),
  };
}

const behaviours: Record<Mode, Partial<Behaviour>> = {
  serve: { bootMs: 40 },
  crash: { bootMs: null, exits: { afterMs: 30, code: 3 } },
  silent: { bootMs: null },
  deaf: { bootMs: 40, stopMs: null },
};

async function openMemory(): Promise<Bench> {
  const clock = manualClock();
  const runtime = createMemoryRuntime({
    clock,
    behaviour: (spec) => behaviours[spec.variables.FIXTURE as Mode],
  });
  await runtime.start();
  return {
    runtime,
    spec: (mode) => ({
      id: `i-${randomHex(8)}`,
      application: 'clothes',
      environment: 'production',
      release: 1,
      zone: 'a',
      directory: '/',
      bootstrap: null,
      command: ['serve'],
      variables: { FIXTURE: mode },
      limits: { memoryBytes: null, cpu: null },
    }),
    kill: (slot) => runtime.kill(slot.id),
    async until(check) {
      for (;;) {
        const slots = await runtime.list();
        if (check(slots)) return slots;
        await clock.advance(10);
      }
    },
    async settle(promise) {
      let settled = false;
      const done = promise.finally(() => {
        settled = true;
      });
      while (!settled) await clock.advance(10);
      return done;
    },
    reopen: null,
    dispose: () => runtime.close(),
  };
}

describe.each([
  { driver: 'process', open: openProcesses },
  { driver: 'memory', open: openMemory },
])('the $driver runtime', ({ open }) => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await open();
  });
  afterEach(() => bench.dispose());

  const find = (slots: Slot[], { id }: { id: string }): Slot | undefined =>
    slots.find((slot) => slot.id === id);
  const listening = (spec: SlotSpec) => (slots: Slot[]) => find(slots, spec)?.listening === true;
  const exited = (spec: SlotSpec) => (slots: Slot[]) => find(slots, spec)?.state === 'exited';

  it('runs an instance and tells when it listens', async () => {
    const spec = bench.spec('serve');
    const started = await bench.runtime.ensure(spec);
    expect(started).toMatchObject({
      id: spec.id,
      environment: 'production',
      release: 1,
      state: 'running',
      listening: false,
      exit: null,
    });
    expect(started.pid).toBeGreaterThan(0);
    const slots = await bench.until(listening(spec));
    expect(slots).toHaveLength(1);
    expect(find(slots, spec)).toMatchObject({ pid: started.pid, port: started.port });
  });

  it('leaves a slot that is there as it is', async () => {
    const spec = bench.spec('serve');
    const [first, same] = await Promise.all([
      bench.runtime.ensure(spec),
      bench.runtime.ensure(spec),
    ]);
    const again = await bench.runtime.ensure(spec);
    expect(same.pid).toBe(first.pid);
    expect(again.pid).toBe(first.pid);
    expect(await bench.runtime.list()).toHaveLength(1);
  });

  it('gives every slot a port of its own', async () => {
    const specs = [bench.spec('silent'), bench.spec('silent'), bench.spec('silent')];
    const slots = await Promise.all(specs.map((spec) => bench.runtime.ensure(spec)));
    expect(new Set(slots.map((slot) => slot.port)).size).toBe(3);
  });

  it('keeps the slot of a program that ended, with the cause', async () => {
    const spec = bench.spec('crash');
    await bench.runtime.ensure(spec);
    const slots = await bench.until(exited(spec));
    expect(find(slots, spec)).toMatchObject({
      pid: null,
      listening: false,
      exit: { code: 3, signal: null, cause: 'exited with code 3' },
    });
  });

  it('does not start again what has ended', async () => {
    const spec = bench.spec('crash');
    await bench.runtime.ensure(spec);
    await bench.until(exited(spec));
    expect(await bench.runtime.ensure(spec)).toMatchObject({ state: 'exited' });
  });

  it('names the signal that ended a program', async () => {
    const spec = bench.spec('serve');
    bench.kill(await bench.runtime.ensure(spec));
    const slots = await bench.until(exited(spec));
    expect(find(slots, spec)?.exit).toMatchObject({
      code: null,
      signal: 'SIGKILL',
      cause: 'killed by SIGKILL',
    });
  });

  it('does not take a running program for a listening one', async () => {
    const silent = bench.spec('silent');
    const serving = bench.spec('serve');
    await bench.runtime.ensure(silent);
    await bench.runtime.ensure(serving);
    const slots = await bench.until(listening(serving));
    expect(find(slots, silent)).toMatchObject({ state: 'running', listening: false });
  });

  it('forgets a slot once it is removed, and does not mind removing it again', async () => {
    const spec = bench.spec('serve');
    await bench.runtime.ensure(spec);
    await bench.until(listening(spec));
    await bench.settle(bench.runtime.remove(spec.id, 5_000));
    expect(await bench.runtime.list()).toEqual([]);
    await bench.settle(bench.runtime.remove(spec.id, 5_000));
    await bench.settle(bench.runtime.remove('i-00000000', 5_000));
  });

  it('removes a slot whose program has ended', async () => {
    const spec = bench.spec('crash');
    await bench.runtime.ensure(spec);
    await bench.until(exited(spec));
    await bench.settle(bench.runtime.remove(spec.id, 5_000));
    expect(await bench.runtime.list()).toEqual([]);
  });

  it('kills what does not hear SIGTERM once the grace has passed', async () => {
    const spec = bench.spec('deaf');
    await bench.runtime.ensure(spec);
    await bench.until(listening(spec));
    await bench.settle(bench.runtime.remove(spec.id, 100));
    expect(await bench.runtime.list()).toEqual([]);
  });

  it('brings a removal forward when it is asked for again with less grace', async () => {
    const spec = bench.spec('deaf');
    await bench.runtime.ensure(spec);
    await bench.until(listening(spec));
    const patient = bench.runtime.remove(spec.id, 3_600_000);
    await bench.settle(bench.runtime.remove(spec.id, 100));
    await patient;
    expect(await bench.runtime.list()).toEqual([]);
  });

  it('resolves every removal of one slot when it is gone', async () => {
    const spec = bench.spec('deaf');
    await bench.runtime.ensure(spec);
    await bench.until(listening(spec));
    const removals = [bench.runtime.remove(spec.id, 100), bench.runtime.remove(spec.id, 100)];
    await bench.settle(Promise.all(removals));
    expect(await bench.runtime.list()).toEqual([]);
  });

  it('starts anew under an id that was removed', async () => {
    const spec = bench.spec('serve');
    const first = await bench.runtime.ensure(spec);
    const removed = bench.runtime.remove(spec.id, 5_000);
    const second = await bench.settle(bench.runtime.ensure(spec));
    await removed;
    expect(second.pid).not.toBe(first.pid);
    expect(await bench.runtime.list()).toHaveLength(1);
  });

  it('does not change the slots it has given out', async () => {
    const spec = bench.spec('serve');
    const before = await bench.runtime.ensure(spec);
    await bench.until(listening(spec));
    expect(before.listening).toBe(false);
  });

  it('tells watchers of changes until they stop watching', async () => {
    let heard = 0;
    const unwatch = bench.runtime.watch(() => {
      heard += 1;
    });
    const spec = bench.spec('serve');
    await bench.runtime.ensure(spec);
    expect(heard).toBeGreaterThan(0);
    unwatch();
    const before = heard;
    await bench.settle(bench.runtime.remove(spec.id, 5_000));
    expect(heard).toBe(before);
  });

  it('refuses an empty command and holds no slot for it', async () => {
    const spec = { ...bench.spec('serve'), command: [''] };
    await expect(bench.runtime.ensure(spec)).rejects.toMatchObject({ code: 'bad-command' });
    expect(await bench.runtime.list()).toEqual([]);
  });

  it('ends following a log with the signal', async () => {
    const spec = bench.spec('serve');
    await bench.runtime.ensure(spec);
    const abort = new AbortController();
    const lines = bench.runtime.follow(spec.id, abort.signal)[Symbol.asyncIterator]();
    let next = lines.next();
    abort.abort();
    // What was written before the signal may still come.
    while (!(await next).done) next = lines.next();
  });

  it('answers with no lines for an instance it never had', async () => {
    expect(await bench.runtime.logs('i-00000000', { tail: 10 })).toEqual([]);
  });

  it('keeps the log when the instance is gone', async (test) => {
    test.skip(!bench.runtime.capabilities.logs, 'instances that are data write no log');
    const spec = bench.spec('crash');
    await bench.runtime.ensure(spec);
    await bench.until(exited(spec));
    await bench.runtime.remove(spec.id, 0);
    const lines = await bench.runtime.logs(spec.id, { tail: 1 });
    expect(lines).toEqual(['no such table: clothes']);
  });

  it('lets slots outlive it, and finds them in its next life', async (test) => {
    const { reopen } = bench;
    if (reopen === null) return test.skip('instances that are data end with their process');
    expect(bench.runtime.capabilities.adopts).toBe(true);
    const spec = bench.spec('serve');
    const before = await bench.runtime.ensure(spec);
    const next = await reopen();
    const [after] = await untilSlots(next, listening(spec));
    expect(after).toMatchObject({ id: spec.id, pid: before.pid, port: before.port });
  });
});
