import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { randomHex } from '../../src/kernel/random.ts';
import type { RoutedCache } from '../../src/model/cache.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../../src/model/edge-settings.ts';
import { type Snapshot, snapshotSchema } from '../../src/model/snapshot.ts';
import { type Contender, freePort } from './contender.ts';
import { HOST } from './load.ts';
import { ownChild } from './processes.ts';
import { superviseWorkers } from './small-supervisor.ts';

/** Ours: real workers, all accounting on. */
export interface Belay extends Contender {
  /** Requests that each worker has accepted so far. */
  accepted(): Promise<number[]>;
}

const WORKER = join(import.meta.dirname, '../../src/edge/worker/worker-process.fixture.ts');
const POOL = 'bench/production#1';
const TARGET = 'fixed';

export interface BelayOptions {
  workers?: number;
  /** What it keeps of the origin's answers; nothing where it is not said. */
  cache?: RoutedCache | null;
  settings?: Partial<EdgeSettings>;
}

/** A CPU profile of each worker is written to the folder that `BELAY_BENCH_PROFILE` names. */
export async function startBelay(
  folder: string,
  originPort: number,
  { workers = 1, cache = null, settings = {} }: BelayOptions = {},
): Promise<Belay> {
  const port = await freePort();
  const linkPath = join(folder, `workers-${port}.sock`);
  const health = [{ pool: POOL, target: TARGET, health: 'healthy', admitted: true } as const];
  const snapshot = snapshotFor(originPort, cache, settings);
  const supervisor = await superviseWorkers(linkPath, snapshot, [...health]);
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const { fd } = (listener as unknown as { _handle: { fd: number } })._handle;
  const profile = process.env.BELAY_BENCH_PROFILE;
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const children = Array.from({ length: workers }, () =>
    ownChild(
      spawn(process.execPath, [...flags, WORKER, linkPath, randomHex(16)], {
        stdio: ['ignore', 'ignore', 'inherit', fd],
      }),
    ),
  );
  // Before anybody knows the port: this process accepts nothing.
  listener.close();
  await supervisor.ready(workers);
  return {
    name: workers === 1 ? 'Belay' : `Belay, ${workers} workers`,
    port,
    pids: children.map((child) => child.pid ?? 0),
    accepted: () => supervisor.accepted(),
    async stop() {
      supervisor.close();
      await Promise.all(children.map(ended));
    },
  };
}

/** Ends a worker politely, so that a profile is written. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

function snapshotFor(
  originPort: number,
  cache: RoutedCache | null,
  settings: Partial<EdgeSettings>,
): Snapshot {
  const environment = 'bench/production';
  const health = {
    path: '/',
    matcher: { from: 200, to: 299 },
    intervalMs: 5_000,
    timeoutMs: 1_000,
    healthyThreshold: 1,
    unhealthyThreshold: 2,
  };
  const target = {
    id: TARGET,
    host: '127.0.0.1',
    port: originPort,
    zone: 'a',
    state: 'active',
    drainUntil: null,
  };
  // Parsed, so that what it does not say has its default.
  return snapshotSchema.parse({
    number: 1,
    settings: { ...DEFAULT_EDGE_SETTINGS, ...settings },
    rules: [{ hosts: [HOST], environment, forward: [{ pool: POOL, weight: 1 }], cache }],
    pools: [{ id: POOL, environment, release: 1, health, targets: [target] }],
  });
}
