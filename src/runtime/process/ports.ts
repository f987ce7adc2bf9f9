import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Clock } from '../../kernel/clock.ts';
import { Fault, systemCode } from '../../kernel/fault.ts';
import { randomHex } from '../../kernel/random.ts';
import { INSTANCE_HOST } from './environment.ts';

export interface PortRange {
  from: number;
  /** Inclusive. */
  to: number;
}

/** Below the range Linux takes for outgoing connections (32768 and up), above the well-known. */
const DEFAULT_PORT_RANGE: PortRange = { from: 20_000, to: 29_999 };

/** A freed port rests, so that a late client of the old instance does not meet the new one. */
const REST_MS = 60_000;

export interface Ports {
  /**
   * Takes a port that nothing else holds.
   *
   * @throws `no-free-port`
   */
  take(): Promise<number>;
  /** Marks a port as taken: that of an adopted slot. */
  hold(port: number): void;
  free(port: number): void;
}

export function createPorts(
  clock: Clock,
  range: PortRange = DEFAULT_PORT_RANGE,
  ephemeral: PortRange | null = readEphemeralRange(),
): Ports {
  const taken = new Set<number>();
  const restingUntilMs = new Map<number, number>();
  const size = range.to - range.from + 1;
  // A random start keeps two daemons on one machine from racing for the same port.
  let next = Number.parseInt(randomHex(8), 16) % Math.max(1, size);

  const isEligible = (port: number): boolean => {
    if (taken.has(port)) return false;
    if (ephemeral && port >= ephemeral.from && port <= ephemeral.to) return false;
    return (restingUntilMs.get(port) ?? 0) <= clock.monotonic();
  };

  return {
    async take() {
      for (let tried = 0; tried < size; tried += 1) {
        const port = range.from + (next % size);
        next += 1;
        if (!isEligible(port)) continue;
        taken.add(port);
        const free = await canBind(port).catch((thrown) => {
          taken.delete(port);
          throw thrown;
        });
        if (free) {
          restingUntilMs.delete(port);
          return port;
        }
        taken.delete(port);
      }
      throw new Fault({
        code: 'no-free-port',
        message: `no port from ${range.from} to ${range.to} is free`,
        subject: `${range.from}-${range.to}`,
        hint: 'stop instances, or end what holds these ports',
        retryable: true,
      });
    },
    hold: (port) => void taken.add(port),
    free(port) {
      if (taken.delete(port)) restingUntilMs.set(port, clock.monotonic() + REST_MS);
    },
  };
}

/** The ports Linux hands to outgoing connections, or null where it does not say. */
function readEphemeralRange(): PortRange | null {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const [from, to] = text.trim().split(/\s+/).map(Number);
    return from && to ? { from, to } : null;
  } catch {
    return null;
  }
}

/** The answers that mean that a port is somebody else's, or not for us. */
const REFUSED = new Set(['EADDRINUSE', 'EACCES']);

/** Whether nothing listens there. Rejects when the system cannot tell. */
export function canBind(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (REFUSED.has(systemCode(error) ?? '')) resolve(false);
      else reject(error);
    });
    probe.listen(port, INSTANCE_HOST, () => probe.close(() => resolve(true)));
  });
}
