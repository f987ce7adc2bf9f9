import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../../model/edge-settings.ts';
import { type Outcome, outcomes } from '../../model/ledger.ts';
import {
  type Snapshot,
  type SnapshotInput,
  snapshotSchema,
  type Target,
} from '../../model/snapshot.ts';
import type { TargetHealth } from '../../model/target.ts';
import type { DiskStore } from '../cache/disk/disk-store.ts';
import type { Limits } from '../limits.ts';
import type { AccessLogFile } from './access-log-file.ts';
import { createEdgeWorker, type EdgeWorker } from './edge-worker.ts';

/** Real sockets for tests of the worker: an edge, origins behind it, raw clients before it. */

const POOL = 'shop/production#1';

export interface TestEdge {
  worker: EdgeWorker;
  port: number;
  /** Connects, sends, half-closes, and resolves with all that came until the close. */
  say(...pieces: (string | Buffer)[]): Promise<string>;
  connect(): RawClient;
  /** How many requests ended in each outcome, without the zeros. */
  outcomes(): Partial<Record<Outcome, number>>;
  /** Ends of a target's draining that the worker announced. */
  drained: number;
  /** How often it announced that other environments are wanted. */
  wantedTold: number;
  ceilings: number[];
}

export async function testEdge(
  targets: readonly Partial<Target>[],
  options: {
    limits?: Partial<Limits>;
    clock?: Clock;
    accessLog?: AccessLogFile;
    cacheDisk?: DiskStore;
    settings?: Partial<EdgeSettings>;
    /** Changes the one rule there is. */
    rule?: Partial<SnapshotInput['rules'][number]>;
    /** Changes the one pool there is. */
    pool?: Partial<SnapshotInput['pools'][number]>;
  } = {},
): Promise<TestEdge> {
  const { cacheDisk } = options;
  const worker = createEdgeWorker({
    clock: options.clock ?? systemClock,
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.accessLog ? { accessLog: options.accessLog } : {}),
    ...(cacheDisk ? { cacheDisk: () => cacheDisk } : {}),
    onCeiling: (ceiling) => edge.ceilings.push(ceiling),
    onDrained: () => {
      edge.drained += 1;
    },
    onWanted: () => {
      edge.wantedTold += 1;
    },
  });
  const edge: TestEdge = {
    worker,
    port: 0,
    drained: 0,
    wantedTold: 0,
    ceilings: [],
    async say(...pieces) {
      const client = edge.connect();
      for (const piece of pieces) client.socket.write(piece);
      client.socket.end();
      return client.closed;
    },
    connect: () => rawClient(edge.port),
    outcomes() {
      const total: Partial<Record<Outcome, number>> = {};
      for (const row of worker.report(null, 'everything').rows) {
        for (const outcome of outcomes) {
          const count = row.outcomes[outcome];
          if (count > 0) total[outcome] = (total[outcome] ?? 0) + count;
        }
      }
      return total;
    },
  };
  onTestFinished(() => worker.close());
  worker.apply(
    snapshot({
      ...(options.settings ? { settings: options.settings } : {}),
      rules: [{ ...anyHost, ...options.rule }],
      pools: [{ ...pool(POOL, targets), ...options.pool }],
    }),
  );
  worker.updateHealth(targets.map((target, i) => health(targetAt(target, i).id, 'healthy')));
  edge.port = await worker.listen({ host: '127.0.0.1', port: 0 });
  return edge;
}

const anyHost: SnapshotInput['rules'][number] = {
  hosts: ['*'],
  environment: 'shop/production',
  forward: [{ pool: POOL, weight: 1 }],
};

export function snapshot(
  fields: {
    number?: number;
    settings?: Partial<EdgeSettings>;
    targets?: readonly Partial<Target>[];
    rules?: SnapshotInput['rules'];
    pools?: SnapshotInput['pools'];
  } = {},
): Snapshot {
  return snapshotSchema.parse({
    number: fields.number ?? 1,
    settings: { ...DEFAULT_EDGE_SETTINGS, ...fields.settings },
    rules: fields.rules ?? [anyHost],
    pools: fields.pools ?? [pool(POOL, fields.targets ?? [])],
  } satisfies SnapshotInput);
}

const pool = (id: string, targets: readonly Partial<Target>[]): SnapshotInput['pools'][number] => ({
  id,
  environment: 'shop/production',
  release: 1,
  health: {
    path: '/',
    matcher: { from: 200, to: 299 },
    intervalMs: 1_000,
    timeoutMs: 500,
    healthyThreshold: 1,
    unhealthyThreshold: 2,
  },
  targets: targets.map(targetAt),
});

const targetAt = (target: Partial<Target>, i: number): Target => ({
  id: `i-${i}`,
  host: '127.0.0.1',
  port: 1,
  zone: 'a',
  state: 'active',
  drainUntil: null,
  ...target,
});

export const health = (
  target: string,
  state: TargetHealth,
  admitted = state === 'healthy',
  poolId = POOL,
) => ({ pool: poolId, target, health: state, admitted });

export interface RawClient {
  socket: Socket;
  /** All that came so far. */
  received(): string;
  /** What came so far, forgetting it. */
  take(): string;
  /** Resolves when what came so far matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that came, when the connection is closed either way. */
  closed: Promise<string>;
}

export function rawClient(port: number): RawClient {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
  return {
    socket,
    received: () => text,
    take() {
      const taken = text;
      text = '';
      return taken;
    },
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text)) return;
          socket.off('data', look).off('close', fail);
          resolve(text);
        };
        const fail = () => reject(new Error(`closed without ${pattern}, after: ${text}`));
        socket.on('data', look).once('close', fail);
        look();
      }),
    closed: new Promise((resolve) => socket.once('close', () => resolve(text))),
  };
}

export interface Origin {
  port: number;
  server: Server;
  connections: Set<Socket>;
  /** How many connections were ever made to it. */
  connectionCount: number;
  close(): Promise<void>;
}

function listening(server: Server): Promise<Origin> {
  const origin: Origin = {
    port: 0,
    server,
    connections: new Set(),
    connectionCount: 0,
    async close() {
      for (const socket of origin.connections) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connection', (socket: Socket) => {
    origin.connectionCount += 1;
    origin.connections.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => origin.connections.delete(socket));
  });
  onTestFinished(() => origin.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      origin.port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve(origin);
    });
  });
}

/** An app that speaks in bytes. */
export function rawOrigin(
  onData: (socket: Socket, bytes: string, connection: number) => void,
): Promise<Origin> {
  let connections = 0;
  return listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      const connection = connections++;
      socket.on('data', (chunk: Buffer) => onData(socket, chunk.toString('latin1'), connection));
      socket.on('end', () => socket.end());
    }),
  );
}

/** An app on Node's own HTTP parser. */
export function httpOrigin(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Origin> {
  return listening(createHttpServer(handle));
}

export interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  trailers: IncomingMessage['trailers'];
}

/** An app that answers `ok` to everything and remembers what it was asked. */
export async function recordingOrigin(): Promise<Origin & { seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const origin = await httpOrigin((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      const { method = '', url = '', headers, trailers } = request;
      seen.push({ method, url, headers, body, trailers });
      response.setHeader('Content-Length', 2);
      response.end('ok');
    });
  });
  return Object.assign(origin, { seen });
}

/** The status codes in what a client received. */
export const statuses = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

/** Lets what is on its way between the sockets of this process arrive. */
export async function settled(rounds = 50): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
