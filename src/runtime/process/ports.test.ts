import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { canBind, createPorts } from './ports.ts';

/** A few neighbouring ports that were free a moment ago. */
const range = { from: 28_410, to: 28_412 };

describe('the ports', () => {
  it('gives each once, and then none', async () => {
    const ports = createPorts(manualClock(), range, null);
    const taken = await Promise.all([ports.take(), ports.take(), ports.take()]);
    expect([...taken].sort()).toEqual([28_410, 28_411, 28_412]);
    await expect(ports.take()).rejects.toMatchObject({ code: 'no-free-port', retryable: true });
  });

  it('lets a freed one rest before it is given again', async () => {
    const clock = manualClock();
    const ports = createPorts(clock, { from: 28_413, to: 28_413 }, null);
    const port = await ports.take();
    ports.free(port);
    await clock.advance(59_999);
    await expect(ports.take()).rejects.toMatchObject({ code: 'no-free-port' });
    await clock.advance(1);
    expect(await ports.take()).toBe(port);
  });

  it('leaves what an adopted slot holds', async () => {
    const ports = createPorts(manualClock(), { from: 28_414, to: 28_415 }, null);
    ports.hold(28_414);
    expect(await ports.take()).toBe(28_415);
    await expect(ports.take()).rejects.toMatchObject({ code: 'no-free-port' });
  });

  it.each(['127.0.0.1', '0.0.0.0', '::'])('passes over what listens at %s', async (host) => {
    const other = createServer().listen(0, host);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await canBind(port)).toBe(false);
    const ports = createPorts(manualClock(), { from: port, to: port }, null);
    await expect(ports.take()).rejects.toMatchObject({ code: 'no-free-port' });
    other.close();
  });

  it('leaves those that the system gives to outgoing connections', async () => {
    const ports = createPorts(
      manualClock(),
      { from: 28_416, to: 28_418 },
      {
        from: 28_417,
        to: 60_999,
      },
    );
    expect(await ports.take()).toBe(28_416);
    await expect(ports.take()).rejects.toMatchObject({ code: 'no-free-port' });
  });
});
