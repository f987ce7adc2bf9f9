import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { ToSupervisor } from '../../src/edge/link.ts';
import { encodeLine, lineDecoder } from '../../src/kernel/json-lines.ts';
import { randomHex } from '../../src/kernel/random.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { isInstalled, start, stop } from './processes.ts';

/** A program under measurement, or the origin behind it. */
export interface Contender {
  name: string;
  pid: number;
  port: number;
  stop(): Promise<void>;
}

const POOL = 'bench/production#1';
const MAX_LINE_BYTES = 1024 * 1024;

/** A static nginx where there is one, because it costs least; else a small Node server. */
export async function startOrigin(
  folder: string,
  bodies: Record<string, string>,
): Promise<Contender> {
  if (!isInstalled('nginx')) {
    process.stderr.write('nginx is not installed: the origin is a Node server\n');
    return startNodeOrigin(bodies);
  }
  const port = await freePort();
  for (const [name, body] of Object.entries(bodies)) writeFileSync(join(folder, name), body);
  const configuration = join(folder, 'origin.conf');
  writeFileSync(
    configuration,
    `daemon off; master_process off; pid ${folder}/origin.pid; error_log ${folder}/origin.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:${port}; root ${folder}; } }
`,
  );
  return started('nginx (origin)', port, start('nginx', ['-p', folder, '-c', configuration]));
}

async function startNodeOrigin(bodies: Record<string, string>): Promise<Contender> {
  const port = await freePort();
  const program = `const bodies = ${JSON.stringify(bodies)};
require('node:http').createServer((request, response) => response.end(bodies[request.url.slice(1)])).listen(${port}, '127.0.0.1');`;
  return started('node (origin)', port, start(process.execPath, ['-e', program]));
}

/** One thread, keep-alive on both sides: what one worker of ours is. */
export async function startHaproxy(folder: string, originPort: number): Promise<Contender> {
  const port = await freePort();
  const configuration = join(folder, 'haproxy.cfg');
  writeFileSync(
    configuration,
    `global
  nbthread 1
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout client 30s
  timeout server 30s
  timeout connect 3s
frontend in
  bind 127.0.0.1:${port}
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort}
`,
  );
  return started('haproxy', port, start('haproxy', ['-db', '-q', '-f', configuration]));
}

/** The real worker, all accounting on, behind the smallest supervisor that can be. */
export async function startEdge(folder: string, originPort: number): Promise<Contender> {
  const linkPath = join(folder, 'workers.sock');
  const { server, ready } = await superviseOne(linkPath, benchSnapshot(originPort));
  const port = await freePort();
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const { fd } = (listener as unknown as { _handle: { fd: number } })._handle;
  const profile = process.env.BELAY_BENCH_PROFILE;
  const child = spawn(
    process.execPath,
    [
      ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []),
      join(import.meta.dirname, '../../src/edge/worker/worker-process.fixture.ts'),
      linkPath,
      randomHex(16),
    ],
    { stdio: ['ignore', 'ignore', 'inherit', fd] },
  );
  listener.close();
  await ready;
  const edge = await started('belay', port, child);
  return {
    ...edge,
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // Politely, so that a profile is written.
      child.kill('SIGTERM');
      server.close();
      await gone;
    },
  };
}

function superviseOne(
  path: string,
  snapshot: Snapshot,
): Promise<{ server: Server; ready: Promise<void> }> {
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const server = createServer((socket) => {
    const decode = lineDecoder(MAX_LINE_BYTES);
    socket.on('data', (chunk: Buffer) => {
      for (const message of decode(chunk) as ToSupervisor[]) {
        if (message.kind === 'ready') isReady();
        if (message.kind !== 'hello') continue;
        const health = [{ pool: POOL, target: 'fixed', health: 'healthy', admitted: true }];
        socket.write(encodeLine({ kind: 'welcome', accept: true, snapshot, health }));
      }
    });
  });
  return new Promise((resolve) => server.listen(path, () => resolve({ server, ready })));
}

function benchSnapshot(originPort: number): Snapshot {
  const target = {
    id: 'fixed',
    host: '127.0.0.1',
    port: originPort,
    zone: 'a',
    state: 'active' as const,
    drainUntil: null,
  };
  const health = {
    path: '/',
    matcher: { from: 200, to: 299 },
    intervalMs: 5_000,
    timeoutMs: 1_000,
    healthyThreshold: 1,
    unhealthyThreshold: 2,
  };
  return {
    number: 1,
    rules: [
      {
        hosts: ['bench.localhost'],
        environment: 'bench/production',
        forward: [{ pool: POOL, weight: 1 }],
      },
    ],
    pools: [{ id: POOL, environment: 'bench/production', release: 1, health, targets: [target] }],
  };
}

async function started(name: string, port: number, child: ChildProcess): Promise<Contender> {
  await answers(port);
  return { name, port, pid: child.pid ?? 0, stop: () => stop(child) };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Waits until something listens there, for five seconds at most. */
async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
