import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeLine, lineDecoder } from '../../kernel/json-lines.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { ToSupervisor, ToWorker } from '../link.ts';
import { health, httpOrigin, rawClient, recordingOrigin, snapshot } from './edge.fixture.ts';

const NAME = '00112233445566aa';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const PROGRAM = join(import.meta.dirname, 'worker-process.fixture.ts');

type Said<Kind> = Extract<ToSupervisor, { kind: Kind }>;

/** The other end of the link. */
interface TestSupervisor {
  /** Everything the worker said. */
  said: ToSupervisor[];
  send(message: ToWorker): void;
  next<Kind extends ToSupervisor['kind']>(kind: Kind): Promise<Said<Kind>>;
  die(): Promise<void>;
}

async function supervise(path: string): Promise<TestSupervisor> {
  const said: ToSupervisor[] = [];
  const waiting = new Set<() => void>();
  let socket: Socket | null = null;
  let read = 0;
  const server: Server = createServer((connection) => {
    socket = connection;
    const decode = lineDecoder(1024 * 1024);
    connection.on('data', (chunk: Buffer) => {
      said.push(...(decode(chunk) as ToSupervisor[]));
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const die = async () => {
    socket?.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(die);
  return {
    said,
    die,
    send: (message) => socket?.write(encodeLine(message)),
    next: (kind) =>
      new Promise((resolve) => {
        const look = () => {
          const at = said.findIndex((message, i) => i >= read && message.kind === kind);
          if (at === -1) return;
          waiting.delete(look);
          read = at + 1;
          resolve(said[at] as Said<typeof kind>);
        };
        waiting.add(look);
        look();
      }),
  };
}

interface WorkerProcess {
  process: ChildProcess;
  path: string;
  port: number;
  /** What it printed so far. */
  printed(): string;
}

async function startWorker(folder: string): Promise<WorkerProcess> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const { fd } = (listener as unknown as { _handle: { fd: number } })._handle;
  const path = join(folder, 'workers.sock');
  const child = spawn(process.execPath, [PROGRAM, path, NAME], {
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  listener.close();
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  let printed = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { process: child, path, port, printed: () => printed };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'belay-worker-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function ask(port: number): Promise<string> {
  const client = rawClient(port);
  client.socket.write(GET);
  return client.closed;
}

describe('a worker process', () => {
  it('says hello, serves, reports what it counts, retires and says bye', async () => {
    const app = await recordingOrigin();
    const home = folder();
    const supervisor = await supervise(join(home, 'workers.sock'));
    const worker = await startWorker(home);
    const hello = await supervisor.next('hello');
    expect(hello).toMatchObject({ worker: NAME, generation: 1, snapshot: 0, accepting: false });
    expect(hello.report.accepted).toBe(0);
    supervisor.send({
      kind: 'welcome',
      accept: true,
      snapshot: snapshot({ number: 7, targets: [{ port: app.port }] }),
      health: [health('i-0', 'healthy')],
    });
    expect(await supervisor.next('ack')).toEqual({ kind: 'ack', number: 7 });
    await supervisor.next('ready');

    expect(await ask(worker.port)).toContain('ok');
    expect((await supervisor.next('ceiling')).accepted).toBe(64);
    supervisor.send({ kind: 'report-now', request: 3 });
    let { report } = await supervisor.next('report');
    while (report.request !== 3) report = (await supervisor.next('report')).report;
    expect(report).toMatchObject({ accepted: 1, inFlight: 0, tunnels: 0 });

    supervisor.send({ kind: 'retire', drainMs: 5_000 });
    const bye = await supervisor.next('bye');
    const ended = bye.report.rows.reduce((sum, row) => sum + row.outcomes.ok, 0);
    expect([bye.report.accepted, ended]).toEqual([1, 1]);
    expect((await once(worker.process, 'exit'))[0]).toBe(0);
    expect(worker.printed()).toBe('drained\n');
  });

  it('serves under a supervisor of 0.1.0, which tells no settings', async () => {
    const app = await recordingOrigin();
    const home = folder();
    const supervisor = await supervise(join(home, 'workers.sock'));
    const worker = await startWorker(home);
    await supervisor.next('hello');
    const earlier = (number: number) => {
      const { rules, pools } = snapshot({ number, targets: [{ port: app.port }] });
      const told = {
        number,
        rules: rules.map(({ hosts, environment, forward }) => ({ hosts, environment, forward })),
        pools: pools.map(({ balancing: _, ...pool }) => pool),
      };
      return told as unknown as Snapshot;
    };
    supervisor.send({
      kind: 'welcome',
      accept: true,
      snapshot: earlier(7),
      health: [health('i-0', 'healthy')],
    });
    expect(await supervisor.next('ack')).toEqual({ kind: 'ack', number: 7 });
    await supervisor.next('ready');
    expect(await ask(worker.port)).toContain('ok');
    supervisor.send({ kind: 'snapshot', snapshot: earlier(8) });
    expect(await supervisor.next('ack')).toEqual({ kind: 'ack', number: 8 });
    expect(await ask(worker.port)).toContain('ok');
  });

  it('says what is inside a draining target before it acknowledges, and at once when it is empty', async () => {
    let respond: (() => void) | undefined;
    const app = await httpOrigin((_, response) => {
      respond = () => response.end('ok');
    });
    const home = folder();
    const supervisor = await supervise(join(home, 'workers.sock'));
    const worker = await startWorker(home);
    await supervisor.next('hello');
    const targets = [{ port: app.port }];
    supervisor.send({
      kind: 'welcome',
      accept: true,
      snapshot: snapshot({ number: 1, targets }),
      health: [health('i-0', 'healthy')],
    });
    await supervisor.next('ready');
    const answer = ask(worker.port);
    await once(app.server, 'request');
    supervisor.send({
      kind: 'snapshot',
      snapshot: snapshot({ number: 2, targets: [{ port: app.port, state: 'draining' }] }),
    });
    const ack = await supervisor.next('ack');
    expect(ack.number).toBe(2);
    const before = supervisor.said.slice(0, supervisor.said.indexOf(ack));
    const inside = before.findLast((message) => message.kind === 'report')?.report.targets;
    expect(inside).toMatchObject([{ target: 'i-0', inFlight: 1 }]);
    respond?.();
    let { report } = await supervisor.next('report');
    // One of those that come on their own may have been on its way.
    if (report.targets[0]?.inFlight === 1) ({ report } = await supervisor.next('report'));
    expect(report.targets).toMatchObject([{ target: 'i-0', inFlight: 0 }]);
    expect(report.rows.reduce((sum, row) => sum + row.drained, 0)).toBe(1);
    await answer;
  });

  it('serves on without its supervisor, and tells the next one everything', async () => {
    const app = await recordingOrigin();
    const home = folder();
    const first = await supervise(join(home, 'workers.sock'));
    const worker = await startWorker(home);
    await first.next('hello');
    first.send({
      kind: 'welcome',
      accept: true,
      snapshot: snapshot({ number: 4, targets: [{ port: app.port }] }),
      health: [health('i-0', 'healthy')],
    });
    await first.next('ready');
    await ask(worker.port);
    await first.die();
    for (let i = 0; i < 3; i += 1) expect(await ask(worker.port)).toContain('ok');

    const second = await supervise(worker.path);
    const hello = await second.next('hello');
    expect(hello).toMatchObject({ worker: NAME, snapshot: 4, accepting: true, ceiling: 64 });
    expect(hello.report.accepted).toBe(4);
    expect(hello.report.rows.reduce((sum, row) => sum + row.outcomes.ok, 0)).toBe(4);
    expect(worker.printed()).toBe('lost\n');
    second.send({ kind: 'retire', drainMs: 0 });
    await second.next('bye');
  });
});
