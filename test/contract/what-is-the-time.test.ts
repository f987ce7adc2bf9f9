import { once } from 'node:events';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawData, WebSocket } from 'ws';
import type { Runtime, Slot } from '../../src/runtime/driver.ts';
import { type ProcessBench, processBench, untilSlot } from '../fixtures/process-bench.ts';

/** The example does what its README says, well and badly, because other tests lean on it. */

const MEGABYTE = 1024 * 1024;
const PATH = dirname(process.execPath);

describe('the example that tells the time', () => {
  let bench: ProcessBench;
  let runtime: Runtime;
  beforeEach(async () => {
    bench = await processBench();
    runtime = await bench.open({ samplePeriodMs: 100, floodBytesPerSecond: MEGABYTE });
  });
  afterEach(() => bench.dispose());

  async function started(faults: Record<string, string> = {}): Promise<Slot> {
    return runtime.ensure(
      bench.spec('serve', {
        directory: join(import.meta.dirname, '../../examples/what-is-the-time'),
        command: ['node', 'server.js'],
        variables: { PATH, BELAY_VERSION: 'v7', ...faults },
      }),
    );
  }
  async function listening(faults: Record<string, string> = {}): Promise<Slot> {
    return untilSlot(runtime, (await started(faults)).id, (slot) => slot.listening);
  }
  const ask = (slot: Slot, path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${slot.port}${path}`, init);

  it('tells the time, and who told it', async () => {
    const slot = await listening();
    const response = await ask(slot, '/api');
    expect(await response.json()).toMatchObject({
      instance: slot.id,
      zone: 'a',
      release: 1,
      version: 'v7',
      pid: slot.pid,
    });
    const line = await (await ask(slot, '/')).text();
    expect(line).toMatch(
      /^It is \d\d:\d\d:\d\d, says i-\w{8} in zone a, release 1, version v7\.\n$/,
    );
    const page = await ask(slot, '/', { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await (await ask(slot, '/echo', { method: 'POST', body: 'hello' })).text()).toBe(
      'hello',
    );
    expect((await ask(slot, '/healthz')).status).toBe(200);
    expect((await ask(slot, '/readyz')).status).toBe(200);
    expect((await ask(slot, '/nowhere')).status).toBe(404);
  });

  it('says back what it hears on a WebSocket', async () => {
    const slot = await listening();
    const socket = new WebSocket(`ws://127.0.0.1:${slot.port}/ws`);
    await once(socket, 'open');
    socket.send('hello');
    const [heard] = (await once(socket, 'message')) as [RawData];
    expect(String(heard)).toBe('hello');
    socket.close();
    await once(socket, 'close');
  });

  it('finishes what it has begun on SIGTERM, takes no more, and leaves', async () => {
    const slot = await listening({ TIME_SLOW_MS: '300' });
    const socket = new WebSocket(`ws://127.0.0.1:${slot.port}/ws`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const begun = connect(slot.port, '127.0.0.1');
    await once(begun, 'connect');
    begun.write('GET /api HTTP/1.1\r\nHost: x\r\n\r\n');
    // An answer means that what came before it was read.
    await ask(slot, '/healthz');
    const removed = runtime.remove(slot.id, 10_000);
    const [answer] = await once(begun, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
    const [code] = await closed;
    expect(code).toBe(1001);
    await removed;
    expect(await runtime.logs(slot.id, { tail: 1 })).toEqual(['stopping']);
    await expect(ask(slot, '/api')).rejects.toThrow();
  });

  it('TIME_BOOT_MS: takes so long until it listens', async () => {
    const beganMs = performance.now();
    await listening({ TIME_BOOT_MS: '400' });
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(400);
  });

  it('TIME_CRASH=boot: exits with code 1 at boot', async () => {
    const { id } = await started({ TIME_CRASH: 'boot' });
    const slot = await untilSlot(runtime, id, (each) => each.state === 'exited');
    expect(slot.exit?.cause).toBe('exited with code 1');
    expect(await runtime.logs(id, { tail: 1 })).toEqual([
      'what-is-the-time: told to crash at boot',
    ]);
  });

  it('TIME_LISTEN=never: runs, and never opens its port', async () => {
    const never = await started({ TIME_LISTEN: 'never' });
    await listening();
    const slots = await runtime.list();
    expect(slots.find(({ id }) => id === never.id)).toMatchObject({
      state: 'running',
      listening: false,
    });
    await expect(ask(never, '/')).rejects.toThrow();
  });

  it('TIME_HEALTH=500: answers so to health checks, and else as ever', async () => {
    const slot = await listening({ TIME_HEALTH: '500' });
    expect((await ask(slot, '/healthz')).status).toBe(500);
    expect((await ask(slot, '/api')).status).toBe(200);
  });

  it('TIME_HEALTH=hang: does not answer health checks', async () => {
    const slot = await listening({ TIME_HEALTH: 'hang' });
    const abort = new AbortController();
    let isAnswered = false;
    const asked = ask(slot, '/healthz', { signal: abort.signal }).then(
      () => {
        isAnswered = true;
      },
      () => {},
    );
    expect((await ask(slot, '/api')).status).toBe(200);
    expect(isAnswered).toBe(false);
    abort.abort();
    await asked;
  });

  it('TIME_SLOW_MS: answers later, but for health checks', async () => {
    const slot = await listening({ TIME_SLOW_MS: '300' });
    const order: string[] = [];
    const slow = ask(slot, '/api').then(() => order.push('/api'));
    await ask(slot, '/healthz').then(() => order.push('/healthz'));
    await slow;
    expect(order).toEqual(['/healthz', '/api']);
  });

  it('TIME_DEAF=1: does not hear SIGTERM, and is killed when its grace is over', async () => {
    const slot = await listening({ TIME_DEAF: '1' });
    const beganMs = performance.now();
    await runtime.remove(slot.id, 300);
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(300);
    expect(await runtime.logs(slot.id, { tail: 1 })).toEqual(['does not hear SIGTERM']);
  });

  it('TIME_FLOOD=1: writes its log as fast as it can, and is stopped for it', async () => {
    const { id } = await started({ TIME_FLOOD: '1' });
    const slot = await untilSlot(runtime, id, (each) => each.state === 'exited');
    expect(slot.exit?.cause).toBe('wrote more than 1 MB of log a second');
  });
});
