import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ProcessBench,
  processBench,
  processesOf,
  untilSlot,
} from '../../../test/fixtures/process-bench.ts';

/** The next life of a daemon that ended at any moment finds everything, and loses nothing. */
describe('a life of the runtime after another', () => {
  let bench: ProcessBench;
  beforeEach(async () => {
    bench = await processBench();
  });
  afterEach(() => bench.dispose());

  const recordOf = (id: string) => join(bench.home, 'run', id, 'slot.json');

  it('finds nothing when the one before was killed before it wrote anything down', async () => {
    const spec = bench.spec('serve');
    await bench.killAt('before:rename:1', 'ensure', spec);
    const runtime = await bench.open();
    expect(await runtime.list()).toEqual([]);
    expect(await readdir(join(bench.home, 'run'))).toEqual([]);
  });

  it.each([
    'after:rename:1',
    'before:spawn:1',
    'after:spawn:1',
    'before:rename:2',
    'after:rename:2',
    'before:go:1',
  ])('forgets what was never started when the one before was killed %s', async (point) => {
    const spec = bench.spec('serve');
    await bench.killAt(point, 'ensure', spec);
    const runtime = await bench.open();
    expect(await runtime.list()).toEqual([]);
    expect(processesOf(new Set([spec.id]))).toEqual([]);
    await runtime.ensure(spec);
    await untilSlot(runtime, spec.id, (each) => each.listening);
  });

  it.each(['after:go:1', 'before:rename:3', 'after:rename:3'])(
    'takes over what runs when the one before was killed %s',
    async (point) => {
      const spec = bench.spec('serve');
      await bench.killAt(point, 'ensure', spec);
      const runtime = await bench.open();
      const slot = await untilSlot(runtime, spec.id, (each) => each.listening);
      expect(slot.pid).toBeGreaterThan(0);
      await runtime.remove(spec.id, 5_000);
      expect(processesOf(new Set([spec.id]))).toEqual([]);
    },
  );

  it.each([
    'before:SIGTERM:1',
    'after:SIGTERM:1',
    'before:SIGKILL:1',
    'after:SIGKILL:1',
    'before:rm:1',
  ])('finishes a removal in which the one before was killed %s', async (point) => {
    const spec = bench.spec('deaf');
    await untilSlot(await opened(spec), spec.id, (each) => each.listening);
    await bench.killAt(point, 'remove', spec);
    const runtime = await bench.open();
    expect(await runtime.list()).toHaveLength(1);
    await runtime.remove(spec.id, 0);
    expect(await runtime.list()).toEqual([]);
    expect(processesOf(new Set([spec.id]))).toEqual([]);
  });

  it('has forgotten a slot whose removal was done', async () => {
    const spec = bench.spec('deaf');
    await opened(spec);
    await bench.killAt('after:rm:1', 'remove', spec);
    expect(await (await bench.open()).list()).toEqual([]);
  });

  it('lets an instance go on draining', async () => {
    const spec = bench.spec('drain');
    const before = await opened(spec);
    const { port } = await untilSlot(before, spec.id, (each) => each.listening);
    const stopping = fetch(`http://127.0.0.1:${port}/stopping`);
    // Answered by the instance, so it can hear SIGTERM by then.
    await fetch(`http://127.0.0.1:${port}/`);
    const removal = expect(before.remove(spec.id, 60_000)).rejects.toMatchObject({
      code: 'runtime-closed',
    });
    await (await stopping).text();
    const runtime = await bench.open();
    await removal;
    expect(await runtime.list()).toMatchObject([{ id: spec.id, state: 'running' }]);
    const removed = runtime.remove(spec.id, 60_000);
    await expect(fetch(`http://127.0.0.1:${port}/exit`)).rejects.toThrow();
    await removed;
    expect(await runtime.list()).toEqual([]);
  });

  it('knows with which code an instance ended while nobody watched', async () => {
    const spec = bench.spec('serve');
    const before = await opened(spec);
    const { port } = await untilSlot(before, spec.id, (each) => each.listening);
    await before.close();
    await expect(fetch(`http://127.0.0.1:${port}/exit`)).rejects.toThrow();
    const slot = await untilSlot(await bench.open(), spec.id, (each) => each.state === 'exited');
    expect(slot.exit).toMatchObject({ code: 7, signal: null, cause: 'exited with code 7' });
  });

  it('soon notices the end of an adopted instance, with its code', async () => {
    const spec = bench.spec('serve');
    await opened(spec);
    const runtime = await bench.open();
    const { port } = await untilSlot(runtime, spec.id, (each) => each.listening);
    const told = new Promise<void>((resolve) => runtime.watch(resolve));
    const askedMs = performance.now();
    await expect(fetch(`http://127.0.0.1:${port}/exit`)).rejects.toThrow();
    await told;
    // One look in 100 ms, with room for a machine that is busy.
    expect(performance.now() - askedMs).toBeLessThan(1_000);
    const [slot] = await runtime.list();
    expect(slot?.exit).toMatchObject({ code: 7, signal: null });
  });

  it('does not take the processes of another boot for its own', async () => {
    const spec = bench.spec('serve');
    const before = await opened(spec);
    await before.close();
    const record = JSON.parse(await readFile(recordOf(spec.id), 'utf8'));
    // In another boot, what runs here now could have had the ids and start times of what ran there.
    const old = { ...record, bootId: 'another', spec: { ...record.spec, id: 'i-00000001' } };
    await mkdir(join(bench.home, 'run', old.spec.id));
    await writeFile(recordOf(old.spec.id), JSON.stringify(old));
    const runtime = await bench.open();
    const slots = await runtime.list();
    expect(slots.find(({ id }) => id === old.spec.id)?.exit?.cause).toBe(
      'ended when the machine was restarted',
    );
    await runtime.remove(old.spec.id, 0);
    expect(await runtime.list()).toMatchObject([{ id: spec.id, state: 'running' }]);
  });

  it('ends what carries the id of a slot whose record says nothing', async () => {
    const spec = bench.spec('serve');
    const before = await opened(spec);
    await before.close();
    await writeFile(recordOf(spec.id), '{"spec":');
    const runtime = await bench.open();
    expect(await runtime.list()).toEqual([]);
    expect(processesOf(new Set([spec.id]))).toEqual([]);
  });

  it('refuses to begin when it cannot read what there is', async () => {
    const spec = bench.spec('serve');
    const before = await opened(spec);
    await before.close();
    const record = await readFile(recordOf(spec.id));
    await rm(recordOf(spec.id));
    await mkdir(recordOf(spec.id));
    await expect(bench.open()).rejects.toMatchObject({ code: 'EISDIR' });
    await rm(recordOf(spec.id), { recursive: true });
    await writeFile(recordOf(spec.id), record);
    expect(await (await bench.open()).list()).toMatchObject([{ id: spec.id, state: 'running' }]);
  });

  async function opened(spec: ReturnType<ProcessBench['spec']>) {
    const runtime = await bench.open();
    await runtime.ensure(spec);
    return runtime;
  }
});
