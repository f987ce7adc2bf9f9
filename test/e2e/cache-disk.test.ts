import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  createServer,
  get,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EdgeDriver } from '../../src/edge/driver.ts';
import { HONOUR_THE_APP } from '../../src/model/cache.ts';
import { accepting, type LiveEdge, liveEdge, snapshotOf } from '../fixtures/live-edge.ts';
import { kill } from './support/processes.ts';
import { until } from './support/until.ts';

/**
 * What the edge keeps on disk: over restarts, `kill -9`, flipped bits and a disk without room. No
 * client ever gets a byte that is not the app's.
 */

const MB = 1024 * 1024;
const SMALL = Array.from({ length: 30 }, (_, n) => `/small/${n}`);
const SMALL_BYTES = 20_000;
/** More than memory takes for one. */
const LARGE = '/large';
const LARGE_BYTES = 3 * MB;

let live: LiveEdge;
let edge: EdgeDriver;
let app: Server;
/** How often the app was asked for each path. */
let asked: Map<string, number>;
/** Of large answers the app sends one half only, while this is so. */
let isSlow: boolean;
let snapshots: number;

beforeEach(async () => {
  asked = new Map();
  isSlow = false;
  snapshots = 0;
  live = await liveEdge();
  edge = live.edge;
  app = createServer(answer).listen(0, '127.0.0.1');
  await once(app, 'listening');
});

afterEach(async () => {
  app.closeAllConnections();
  app.close();
  await live.dispose();
});

const bodyOf = (path: string): Buffer =>
  Buffer.alloc(
    path === LARGE ? LARGE_BYTES : path.startsWith('/mb') ? MB : SMALL_BYTES,
    hash('sha256', path),
  );

function answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
  if (url === '/healthz') return void response.end();
  asked.set(url, (asked.get(url) ?? 0) + 1);
  const body = bodyOf(url);
  response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Length': body.length });
  if (url === LARGE && isSlow) response.write(body.subarray(0, body.length / 2));
  else response.end(body);
}

/** Starts the edge, or finds it, with what it keeps in the directory. */
async function serve(): Promise<number> {
  const { listeners } = await edge.start();
  snapshots += 1;
  const snapshot = snapshotOf(
    snapshots,
    app.address() as AddressInfo,
    {},
    {
      cacheMemoryBytes: MB,
      cacheDiskBytes: 64 * MB,
    },
  );
  const cache = { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] };
  await edge.publish({
    ...snapshot,
    rules: snapshot.rules.map((rule) => ({ ...rule, cache })),
  });
  await accepting({ ...live, edge }, 1);
  const look = async () => (await edge.status()).targets[0]?.health;
  await until('the app is healthy', look, (health) => health === 'healthy');
  return listeners[0]?.port ?? 0;
}

interface Got {
  isWhole: boolean;
  body: Buffer;
  fromCache: boolean;
}

function ask(port: number, path: string): Promise<Got> {
  return new Promise((resolve) => {
    // The host is part of the key, and the port of the host.
    const none = { isWhole: false, body: Buffer.alloc(0), fromCache: false };
    const request = get(
      { port, path, headers: { host: 'shop.example' }, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        const fromCache = /\bhit\b/.test(String(response.headers['cache-status']));
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', () => {});
        response.on('close', () =>
          resolve({ isWhole: response.complete, body: Buffer.concat(pieces), fromCache }),
        );
      },
    );
    request.on('error', () => resolve(none));
  });
}

/** Asks for all; what comes is right, and whole unless it may be cut. */
async function askAll(port: number, paths: readonly string[]): Promise<Got[]> {
  const all: Got[] = [];
  for (const path of paths) {
    const got = await ask(port, path);
    expect(got.body.equals(bodyOf(path).subarray(0, got.body.length)), path).toBe(true);
    all.push(got);
  }
  return all;
}

const directory = (): string => join(live.home, 'edge/cache');

const namesIn = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const kept = (): string[] =>
  namesIn(directory())
    .filter((name) => name.length === 2)
    .flatMap((shard) =>
      namesIn(join(directory(), shard)).map((name) => join(directory(), shard, name)),
    );

const halfWritten = (): string[] =>
  namesIn(join(directory(), 'writing')).flatMap((name) =>
    namesIn(join(directory(), 'writing', name)),
  );

async function allKept(count: number): Promise<void> {
  await until(
    `${count} are on disk`,
    async () => kept().length,
    (length) => length >= count,
  );
}

/** The same edge, with nothing in memory. */
async function killWorker(): Promise<void> {
  const { workers } = await edge.status();
  const died = live.nextEvent(({ kind }) => kind === 'worker-died');
  for (const { pid } of workers) kill(pid);
  await died;
  await accepting({ ...live, edge }, 1);
}

test('is found again by the edge that is started next', async () => {
  const port = await serve();
  await askAll(port, [...SMALL, LARGE]);
  await allKept(SMALL.length + 1);
  await edge.stop(1_000);
  edge = live.driver();
  const again = await askAll(await serve(), [...SMALL, LARGE]);
  expect(again.filter(({ isWhole, fromCache }) => isWhole && fromCache)).toHaveLength(
    SMALL.length + 1,
  );
  expect([...asked.values()]).toEqual(again.map(() => 1));
});

test('is right although the worker that was writing it is killed', async () => {
  const port = await serve();
  isSlow = true;
  const reading = ask(port, LARGE);
  await until(
    'half of it is being written',
    async () => halfWritten(),
    ({ length }) => length > 0,
  );
  await killWorker();
  const { isWhole, body } = await reading;
  expect(isWhole).toBe(false);
  expect(body.equals(bodyOf(LARGE).subarray(0, body.length))).toBe(true);
  expect(kept()).toEqual([]);
  isSlow = false;
  expect(await askAll(port, [LARGE])).toMatchObject([{ isWhole: true, fromCache: false }]);
  await allKept(1);
  expect(await askAll(port, [LARGE])).toMatchObject([{ isWhole: true, fromCache: true }]);
  await until(
    'nothing is half written',
    async () => halfWritten(),
    ({ length }) => length === 0,
  );
});

test('is not served when bits of it have flipped, and operators hear of it', async () => {
  const port = await serve();
  await askAll(port, [...SMALL, LARGE]);
  await allKept(SMALL.length + 1);
  for (const [n, path] of kept().entries()) {
    const bytes = readFileSync(path);
    const at = Math.floor((bytes.length * (n + 0.5)) / (SMALL.length + 1));
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (n % 8));
    writeFileSync(path, bytes);
  }
  await killWorker();
  const damaged = live.nextEvent(({ kind }) => kind === 'cache-disk');
  // Of what is larger than memory, that before the damage may have gone out.
  const seen = await askAll(port, [...SMALL, LARGE]);
  expect(seen.slice(0, -1).every(({ isWhole, fromCache }) => isWhole && !fromCache)).toBe(true);
  expect(await damaged).toMatchObject({ trouble: 'damaged' });
  const again = await askAll(port, [...SMALL, LARGE]);
  expect(again.every(({ isWhole }) => isWhole)).toBe(true);
  expect([...asked.values()]).toEqual(again.map(() => 2));
});

test('is done without when there is no room, and operators hear of it', async ({ skip }) => {
  mkdirSync(directory(), { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', directory()], {
      stdio: 'ignore',
    });
  } catch {
    return skip('this user may not mount a small disk');
  }
  try {
    // Of somebody else.
    writeFileSync(join(directory(), 'other'), Buffer.alloc(4.8 * MB, 'x'));
    const port = await serve();
    const full = live.nextEvent((event) => event.kind === 'cache-disk');
    const paths = Array.from({ length: 10 }, (_, n) => `/mb/${n}`);
    const first = await askAll(port, paths);
    expect(await full).toMatchObject({ trouble: 'full' });
    const second = await askAll(port, [...paths, LARGE]);
    expect([...first, ...second].every(({ isWhole }) => isWhole)).toBe(true);
  } finally {
    await edge.stop(100);
    execFileSync('umount', [directory()]);
  }
});
