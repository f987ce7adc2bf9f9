import type { ChildProcess } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { systemClock } from '../../src/kernel/clock.ts';
import { stop } from './processes.ts';

/** A program under measurement, or the origin behind it. */
export interface Contender {
  name: string;
  port: number;
  /** Its processes, those that they start not counted. */
  pids: number[];
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;
const LOOK_MS = 50;

/** A contender of one process, once it listens. */
export async function started(name: string, port: number, child: ChildProcess): Promise<Contender> {
  try {
    await listening(port, child);
  } catch (thrown) {
    await stop(child);
    throw new Error(`${name} did not start: ${String(thrown)}`);
  }
  return { name, port, pids: [child.pid ?? 0], stop: () => stop(child) };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const untilMs = systemClock.monotonic() + START_TIMEOUT_MS;
  while (systemClock.monotonic() < untilMs) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    if (await accepts(port)) return;
    await systemClock.sleep(LOOK_MS);
  }
  throw new Error(`nothing listens on port ${port}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}
