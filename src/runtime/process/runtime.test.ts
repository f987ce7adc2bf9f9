import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ProcessBench,
  processBench,
  processesOf,
  readArguments,
  untilSlot,
} from '../../../test/fixtures/process-bench.ts';

import { HOLE_ALIGN_BYTES } from './log-bound.ts';

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

  it('ends the daemons that a program leaves behind', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('daemonize');
    await runtime.ensure(spec);
    const slot = await untilSlot(runtime, spec.id, (each) => each.state === 'exited');
    expect(slot.exit).toMatchObject({ code: 0 });
    expect(processesOf(new Set([spec.id]))).toHaveLength(2);
    await runtime.remove(spec.id, 0);
    expect(processesOf(new Set([spec.id]))).toEqual([]);
  });

  it('gives an instance nothing to read', async () => {
    const runtime = await bench.open();
    const spec = bench.spec('stdin');
    await runtime.ensure(spec);
    const slot = await untilSlot(runtime, spec.id, (each) => each.state === 'exited');
    expect(slot.exit).toMatchObject({ code: 0 });
    expect(await runtime.logs(spec.id, { tail: 1 })).toEqual(['nothing more to read']);
  });

  it('gives an instance its variables as they are, whatever they are called', async () => {
    const runtime = await bench.open();
    const variables = { file: 'a', status: 'b', go: 'c', EMPTY: '', LINES: 'x\ny "$z' };
    const spec = bench.spec('serve', { variables: { ...variables, PORT: '1', BELAY_ZONE: 'x' } });
    await runtime.ensure(spec);
    const { port } = await untilSlot(runtime, spec.id, (each) => each.listening);
    const response = await fetch(`http://127.0.0.1:${port}/environment`);
    expect(await response.json()).toMatchObject({
      ...variables,
      PORT: String(port),
      HOST: '127.0.0.1',
      BELAY_INSTANCE: spec.id,
      BELAY_ZONE: 'a',
    });
  });

  it.each([
    ['bad-name', { id: '../i-1' }],
    ['bad-name', { application: 'Clothes' }],
    ['bad-name', { environment: '' }],
    ['bad-command', { command: ['$UNSET'] }],
    ['bad-command', { directory: '/nowhere' }],
    ['command-not-found', { command: ['./absent'] }],
    ['not-executable', { command: ['./instance.ts'] }],
    ['not-started', { variables: { MUCH: 'x'.repeat(131_072) } }],
  ])('refuses with %s and holds nothing: %o', async (code, change) => {
    const runtime = await bench.open();
    await expect(runtime.ensure(bench.spec('serve', change))).rejects.toMatchObject({ code });
    expect(await runtime.list()).toEqual([]);
    expect(await readdir(join(bench.home, 'run'))).toEqual([]);
  });

  it('says when no port is free', async () => {
    const runtime = await bench.open({ portRange: { from: 28_420, to: 28_420 } });
    await runtime.ensure(bench.spec('silent'));
    await expect(runtime.ensure(bench.spec('silent'))).rejects.toMatchObject({
      code: 'no-free-port',
      retryable: true,
    });
    expect(await runtime.list()).toHaveLength(1);
  });

  it('starts nothing once it was closed', async () => {
    const runtime = await bench.open();
    await runtime.close();
    await expect(runtime.ensure(bench.spec('serve'))).rejects.toMatchObject({
      code: 'runtime-closed',
    });
    await bench.open();
  });

  it('follows a log as it is written, also while its front is freed', async () => {
    const logMaxBytes = 4 * HOLE_ALIGN_BYTES;
    const runtime = await bench.open({ logMaxBytes, samplePeriodMs: 20 });
    const spec = bench.spec('serve');
    await runtime.ensure(spec);
    const { port } = await untilSlot(runtime, spec.id, (each) => each.listening);
    const tell = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    const abort = new AbortController();
    const lines = runtime.follow(spec.id, abort.signal)[Symbol.asyncIterator]();
    let isFollowed = false;
    const first = lines.next().finally(() => {
      isFollowed = true;
    });
    while (!isFollowed) await tell('/say/hello%0A');
    expect((await first).value).toBe('hello');
    for (let round = 0; round < 8; round += 1) await tell('/write/131072');
    await tell('/say/the%20end%0A');
    for (let line = await lines.next(); line.value !== 'the end'; line = await lines.next()) {
      expect(line.value).toMatch(/^(?:hello|\d+ \.+)$/);
    }
    abort.abort();
    expect((await lines.next()).done).toBe(true);
    expect(await runtime.logs(spec.id, { tail: 1 })).toEqual(['the end']);
    const path = join(bench.home, 'logs', 'clothes', 'production', `${spec.id}.log`);
    const onDisk = async () => (await stat(path)).blocks * 512;
    while ((await onDisk()) > logMaxBytes) await tell('/');
    expect((await stat(path)).size).toBeGreaterThan(logMaxBytes);
  });

  it('holds a limit of memory by the kernel, and names it as the cause', async (test) => {
    const runtime = await bench.open({ samplePeriodMs: 10_000 });
    const limits = { memoryBytes: 128 * MEGABYTE, cpu: null };
    const spec = bench.spec('hog', { limits });
    const { limit } = await runtime.ensure(spec);
    test.skip(limit !== 'cgroup', 'this machine lets us make no control groups for memory');
    const groups = await groupsOf(spec.id);
    const slot = await untilSlot(runtime, spec.id, (each) => each.state === 'exited');
    expect(slot.exit?.cause).toBe('killed by SIGKILL (memory limit 128 MB)');
    await runtime.remove(spec.id, 0);
    expect(groups.filter(existsSync)).toEqual([]);
  });

  it('holds a limit of processor time by the kernel', async (test) => {
    const runtime = await bench.open();
    const spec = bench.spec('burn', { limits: { memoryBytes: null, cpu: 0.3 } });
    const { limit } = await runtime.ensure(spec);
    test.skip(limit !== 'cgroup', 'this machine lets us make no control groups for processors');
    const groups = await groupsOf(spec.id);
    const { port } = await untilSlot(runtime, spec.id, (each) => each.listening);
    const throttled = () =>
      groups.some((group) =>
        /^nr_throttled [1-9]/m.test(readFileSync(join(group, 'cpu.stat'), 'utf8')),
      );
    while (!throttled()) await fetch(`http://127.0.0.1:${port}/`);
    await runtime.remove(spec.id, 0);
    expect(groups.filter(existsSync)).toEqual([]);
  });

  it('lets an instance with a limit weigh no less than a process without', async (test) => {
    const runtime = await bench.open();
    const specs = [0.3, 2].map((cpu) =>
      bench.spec('serve', { limits: { memoryBytes: null, cpu } }),
    );
    const slots = await Promise.all(specs.map((spec) => runtime.ensure(spec)));
    const isHeld = slots.every(({ limit }) => limit === 'cgroup');
    test.skip(!isHeld, 'this machine lets us make no control groups for processors');
    const groups = (await Promise.all(specs.map(({ id }) => groupsOf(id)))).flat();
    const shares = groups.map(processesWorth);
    expect(shares).toEqual([1, 2]);
    // Instances of others may be there too.
    expect(processesWorth(dirname(groups[0] ?? ''))).toBeGreaterThanOrEqual(3);
  });

  it('goes on when its home is full, and loses no instance by it', async (test) => {
    test.skip(!(await bench.canFill()), 'this user may not mount a small disk');
    const runtime = await bench.open();
    const serving = bench.spec('serve');
    await runtime.ensure(serving);
    const { port } = await untilSlot(runtime, serving.id, (slot) => slot.listening);
    await bench.fill();
    await expect(runtime.ensure(bench.spec('serve'))).rejects.toMatchObject({ code: 'disk-full' });
    const next = await bench.open();
    expect(await next.list()).toMatchObject([{ id: serving.id, state: 'running' }]);
    await expect(fetch(`http://127.0.0.1:${port}/exit`)).rejects.toThrow();
    const slot = await untilSlot(next, serving.id, (each) => each.state === 'exited');
    expect(slot.exit).toMatchObject({ code: 7 });
    await next.remove(serving.id, 0);
    expect(await next.list()).toEqual([]);
  });

  async function groupsOf(id: string): Promise<string[]> {
    return JSON.parse(await readFile(join(bench.home, 'run', id, 'slot.json'), 'utf8')).cgroups;
  }
});

/** What a group weighs beside processes that are in none. */
function processesWorth(group: string): number {
  const [file, usual] = existsSync(join(group, 'cpu.weight'))
    ? ['cpu.weight', 100]
    : ['cpu.shares', 1024];
  return Number(readFileSync(join(group, file), 'utf8')) / usual;
}
