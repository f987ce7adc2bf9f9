import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { accepting, ended, type LiveEdge, liveEdge, lost, serve } from '../fixtures/live-edge.ts';
import { kill } from './support/processes.ts';

/**
 * A process of the edge is killed: what is not inside it stays, on the very same connections, and
 * what comes meanwhile waits.
 */

const WORKERS = 2;
const HELD = 40;
const WEB_SOCKETS = 20;
/** More than the 511 that a listener of Node's holds unless it is told otherwise. */
const WAITING = 1_000;

let live: LiveEdge;
let port: number;
let held: (KeptRequests | KeptSocket)[];

beforeEach(async () => {
  live = await liveEdge();
  port = await serve(live, WORKERS);
  held = [
    ...Array.from({ length: HELD }, () => new KeptRequests(port)),
    ...Array.from({ length: WEB_SOCKETS }, () => new KeptSocket(port)),
  ];
  await Promise.all(held.map((each) => each.open()));
});

afterEach(async () => {
  for (const each of held) each.close();
  await live.dispose();
});

describe('kill -9 of one of two workers', () => {
  test('loses the connections inside it and no other', async () => {
    const workers = Map.groupBy(held, ({ worker }) => worker);
    expect([...workers.keys()]).toHaveLength(WORKERS);
    const died = live.nextEvent((event) => event.kind === 'worker-died');
    kill((await live.edge.status()).workers[0]?.pid ?? 0);
    expect(await died).toMatchObject({ unaccounted: expect.any(Number) });
    const kept = await Promise.all(held.map((each) => each.isSame()));
    const closed = held.filter((_, index) => !kept[index]);
    const killed = workers.get(closed[0]?.worker ?? '');
    expect(closed).toEqual(killed);
    // Whoever was cut off connects again at once, to whichever worker there is.
    await Promise.all(closed.map((each) => each.open()));
    await accepting(live, WORKERS);
    expect(lost(await live.edge.ledger())).toBe(0);
  });
});

describe("kill -9 of the edge's supervisor", () => {
  test('closes no connection and loses no request', async () => {
    const before = await live.edge.status();
    const readBefore = ended(await live.edge.ledger());
    const back = live.nextEvent((event) => event.kind === 'connected');
    kill(before.pid);
    const meanwhile = await Promise.all(held.map((each) => each.isSame()));
    await back;
    const afterwards = await Promise.all(held.map((each) => each.isSame()));
    expect([...meanwhile, ...afterwards]).not.toContain(false);
    expect((await live.edge.status()).workers).toEqual(expect.arrayContaining(before.workers));
    const reading = await live.edge.ledger();
    expect(reading).toMatchObject({ unaccounted: 0, tunnels: WEB_SOCKETS });
    expect(ended(reading) - readBefore).toBe(2 * HELD);
    expect(lost(reading)).toBe(0);
  });
});

describe('connections made while no worker accepts', () => {
  test(`wait in the listener's queue, ${WAITING} of them, and are all answered`, async () => {
    const { workers } = await live.edge.status();
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
    const waiting = Array.from({ length: WAITING }, () => connect(port, '127.0.0.1'));
    onTestFinished(() => {
      for (const socket of waiting) socket.destroy();
    });
    // A queue that is full lets nobody in, and a client tries again only after a second.
    await Promise.all(waiting.map((socket) => once(socket, 'connect')));
    for (const socket of waiting) socket.write('GET / HTTP/1.1\r\nHost: any\r\n\r\n');
    const answers = waiting.map(firstBytes);
    for (const { pid } of workers) process.kill(pid, 'SIGCONT');
    const statuses = (await Promise.all(answers)).map((text) => text.slice(0, 12));
    expect(new Set(statuses)).toEqual(new Set(['HTTP/1.1 200']));
    expect((await live.edge.status()).workers).toEqual(workers);
  });
});

const firstBytes = async (socket: Socket): Promise<string> => {
  const [bytes] = await once(socket, 'data');
  return String(bytes);
};

/** The worker's own part of a request's id, as the app saw it. */
const workerOf = ({ headers }: IncomingMessage): string =>
  String(headers['x-request-id']).split('-')[0] ?? '';

/** Requests that go one after the other over one connection. */
class KeptRequests {
  worker = '';
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(to: number) {
    this.#port = to;
  }

  async open(): Promise<void> {
    this.worker = (await this.#get()).worker;
  }

  /** Whether another request goes through the connection that the first one made. */
  async isSame(): Promise<boolean> {
    const again = await this.#get().catch(() => null);
    return again?.isSame ?? false;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #get(): Promise<{ worker: string; isSame: boolean }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      worker: string;
      isSame: boolean;
    }>();
    const request = get({ host: '127.0.0.1', port: this.#port, agent: this.#agent }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () =>
        resolve({ worker: workerOf(response), isSame: request.reusedSocket }),
      );
    });
    request.on('error', reject);
    return await promise;
  }
}

/** A WebSocket whose other end says the same. */
class KeptSocket {
  worker = '';
  readonly #port: number;
  #socket: WebSocket | null = null;

  constructor(to: number) {
    this.#port = to;
  }

  async open(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/`);
    this.#socket = socket;
    socket.on('upgrade', (response) => {
      this.worker = workerOf(response);
    });
    socket.on('error', () => {
      // The close that follows tells.
    });
    await once(socket, 'open');
  }

  async isSame(): Promise<boolean> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.once('close', () => resolve(false));
    socket.once('message', (said) => resolve(String(said) === 'still there'));
    socket.send('still there');
    return await promise;
  }

  close(): void {
    this.#socket?.terminate();
  }
}
