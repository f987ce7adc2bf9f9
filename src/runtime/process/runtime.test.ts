import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ProcessBench,
  processBench,
  processesOf,
  readArguments,
  untilSlot,
} from '../../../test/fixtures/process-bench.ts';

const MEGABYTE = 1024 * 1024;

describe('the process runtime', () => {
  let bench: ProcessBench;
  beforeEach(async () => {
    bench = await processBench();
  });
  afterEach(() => bench.dispose());

  it('kills what left the group, also what left the environment', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('escape');
    await runtime.ensure(spec);
    await untilSlot(runtime, spec.id, (slot) => slot.listening);
    expect(processesOf(new Set([spec.id])).length).toBeGreaterThan(2);
    await runtime.remove(spec.id, 5_000);
    expect(processesOf(new Set([spec.id]))).toEqual([]);
  });

  it('keeps secrets out of arguments and from other users', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('serve', { variables: { SECRET: 'velvet-underground' } });
    const { pid } = await runtime.ensure(spec);
    for (const each of processesOf(new Set([spec.id]))) {
      expect(readArguments(each).join(' ')).not.toContain('velvet');
    }
    expect(pid).not.toBeNull();
    const place = join(bench.home, 'run', spec.id);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
    expect((await stat(join(place, 'slot.json'))).mode & 0o777).toBe(0o600);
  });

  it('says what was looked for when there is no such program, and holds no slot', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('serve', { command: ['no-such-program'] });
    await expect(runtime.ensure(spec)).rejects.toMatchObject({
      code: 'command-not-found',
      message: expect.stringContaining('no-such-program'),
    });
    expect(await runtime.list()).toEqual([]);
  });

  it('does not count a port that another process holds', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('silent');
    const { port } = await runtime.ensure(spec);
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    try {
      const serving = bench.spec('serve');
      await runtime.ensure(serving);
      await untilSlot(runtime, serving.id, (slot) => slot.listening);
      const slots = await runtime.list();
      expect(slots.find((slot) => slot.id === spec.id)?.listening).toBe(false);
    } finally {
      other.close();
    }
  });

  it('stops an instance that floods its log', async () => {
    const runtime = await bench.open({ floodBytesPerSecond: MEGABYTE, samplePeriodMs: 100 });
    const spec = bench.spec('flood');
    await runtime.ensure(spec);
    const slot = await untilSlot(runtime, spec.id, (each) => each.state === 'exited');
    expect(slot.exit?.cause).toBe('wrote more than 1 MB of log a second');
  });

  it('stops an instance over its memory limit where the kernel does not', async () => {
    const runtime = await bench.open({ limits: 'watched', samplePeriodMs: 50 });
    const limits = { memoryBytes: 128 * MEGABYTE, cpu: null };
    const spec = bench.spec('hog', { limits });
    expect((await runtime.ensure(spec)).limit).toBe('watched');
    const slot = await untilSlot(runtime, spec.id, (each) => each.state === 'exited');
    expect(slot.exit?.cause).toBe('used more memory than its limit of 128 MB');
  });

  it('notices the death of an adopted instance', async () => {
    const spec = bench.spec('serve');
    const { pid } = await (await bench.open()).ensure(spec);
    const next = await bench.open();
    process.kill(pid ?? 0, 'SIGKILL');
    const slot = await untilSlot(next, spec.id, (each) => each.state === 'exited');
    expect(slot.exit?.cause).toBe('killed by SIGKILL');
  });

  it('writes the log where the instance inherits it, for the owner only', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('crash');
    await runtime.ensure(spec);
    await untilSlot(runtime, spec.id, (each) => each.state === 'exited');
    const path = join(bench.home, 'logs', 'clothes', 'production', `${spec.id}.log`);
    expect(await readFile(path, 'utf8')).toContain('no such table');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});
