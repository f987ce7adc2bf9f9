/**
 * The independent client: a process of its own that knows nothing of Belay. It sends numbered
 * requests at a fixed rate over ordinary keep-alive connections, keeps WebSockets open, checks that
 * each answer is the answer to its request, never tries anything twice, and counts what it saw.
 *
 * Started by load.ts with its options as JSON; it talks over the IPC channel.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { LoadCounts, LoadFailure, LoadOptions, LoadRequest } from './load.ts';

const TICK_MS = 2;
const REQUEST_TIMEOUT_MS = 30_000;
const SOCKET_PING_MS = 250;
const RECONNECT_MS = 20;
const DEFAULT_CONNECTIONS = 64;
const FAILURES_KEPT = 200;

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions;
const clock = systemClock;
const agent = new Agent({
  keepAlive: true,
  // Every connection in its turn, so that each of them meets every change.
  scheduling: 'fifo',
  maxSockets: options.connections ?? DEFAULT_CONNECTIONS,
});
const headers = { host: options.host };

const counts: LoadCounts = {
  sent: 0,
  ok: 0,
  wrong: 0,
  statuses: {},
  byInstance: {},
  resetBeforeHead: 0,
  resetInBody: 0,
  failures: [],
  latenciesMs: [],
  lateMs: [],
  closes: [],
  sockets: {
    opened: 0,
    open: 0,
    closed: 0,
    refused: 0,
    failed: 0,
    sent: 0,
    echoed: 0,
    wrong: 0,
    unanswered: 0,
  },
};
let inFlight = 0;
let sending = false;
let scheduledMs = 0;
let ending = false;

function sendDue(): void {
  const now = clock.monotonic();
  while (sending && scheduledMs <= now) {
    send(scheduledMs);
    scheduledMs += 1000 / options.ratePerSecond;
  }
}

function send(scheduledAt: number): void {
  counts.sent += 1;
  counts.lateMs.push(clock.monotonic() - scheduledAt);
  inFlight += 1;
  const number = String(counts.sent);
  const page = options.pages === undefined ? null : `/page/${counts.sent % options.pages}`;
  const method = counts.sent % 2 === 0 && page === null ? 'POST' : 'GET';
  let head: IncomingMessage | null = null;
  let ended = false;
  const end = (failure: LoadFailure['kind'] | null, detail = ''): void => {
    if (ended) return;
    ended = true;
    inFlight -= 1;
    counts.latenciesMs.push(clock.monotonic() - scheduledAt);
    if (failure === null) counts.ok += 1;
    else noteFailure({ number, method, kind: failure, detail, at: clock.now() });
  };
  const outgoing = request(
    {
      host: '127.0.0.1',
      port: options.port,
      agent,
      method,
      path: page ?? `/number/${number}`,
      headers: { ...headers, 'x-number': number },
      timeout: REQUEST_TIMEOUT_MS,
    },
    (response) => {
      head = response;
      readAnswer(response, page ?? number, end);
    },
  );
  outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
  outgoing.on('error', (error) => end(head ? 'reset-in-body' : 'reset-before-head', error.message));
  outgoing.end(method === 'POST' ? number : undefined);
}

function readAnswer(
  response: IncomingMessage,
  expected: string,
  end: (failure: LoadFailure['kind'] | null, detail?: string) => void,
): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    body += text;
  });
  response.on('end', () => {
    if (response.statusCode !== 200) end('status', `${response.statusCode} ${body.trim()}`);
    else if (body !== expected) end('wrong', `got ${body}`);
    else {
      const instance = String(response.headers['x-instance']);
      counts.byInstance[instance] = (counts.byInstance[instance] ?? 0) + 1;
      end(null);
    }
  });
  response.on('error', (error) => end('reset-in-body', error.message));
}

function noteFailure(failure: LoadFailure): void {
  switch (failure.kind) {
    case 'wrong':
      counts.wrong += 1;
      break;
    case 'status': {
      const status = failure.detail.slice(0, 3);
      counts.statuses[status] = (counts.statuses[status] ?? 0) + 1;
      break;
    }
    case 'reset-before-head':
      counts.resetBeforeHead += 1;
      break;
    case 'reset-in-body':
      counts.resetInBody += 1;
      break;
  }
  counts.failures.push(failure);
  if (counts.failures.length > FAILURES_KEPT) counts.failures.shift();
}

/** One WebSocket and those that take its place. */
function keepOpen(): void {
  if (ending) return;
  const { sockets } = counts;
  const socket = new WebSocket(`ws://127.0.0.1:${options.port}/socket`, { headers });
  let next = 0;
  let echoed = 0;
  let opened = false;
  const ping = clock.every(SOCKET_PING_MS, () => {
    if (socket.readyState !== WebSocket.OPEN || !sending) return;
    next += 1;
    sockets.sent += 1;
    socket.send(String(next));
  });
  let instance = '';
  socket.on('upgrade', ({ headers }) => {
    instance = String(headers['x-instance']);
  });
  socket.on('open', () => {
    opened = true;
    sockets.opened += 1;
    sockets.open += 1;
  });
  socket.on('message', (data) => {
    echoed += 1;
    sockets.echoed += 1;
    if (String(data) !== String(echoed)) sockets.wrong += 1;
  });
  // An answer that is no upgrade makes `ws` raise an error too; the close counts them once.
  let status: number | null = null;
  socket.on('unexpected-response', (_, response) => {
    status = response.statusCode ?? 0;
    response.resume();
    socket.terminate();
  });
  socket.on('error', () => {
    // The close that follows counts it.
  });
  socket.on('close', () => {
    ping.cancel();
    sockets.unanswered += next - echoed;
    if (opened) {
      sockets.open -= 1;
      sockets.closed += 1;
      if (!ending) counts.closes.push({ instance, at: clock.now() });
    } else if (status !== null) sockets.refused += 1;
    else sockets.failed += 1;
    if (!ending) clock.after(RECONNECT_MS, keepOpen);
  });
  everySocket.add(socket);
  socket.on('close', () => everySocket.delete(socket));
}

const everySocket = new Set<WebSocket>();

/** Resolves when every request has ended and every WebSocket is open with nothing under way. */
async function quiet(): Promise<void> {
  sending = false;
  const { sockets } = counts;
  const isQuiet = (): boolean =>
    inFlight === 0 &&
    (ending ? everySocket.size === 0 : sockets.open === options.sockets) &&
    sockets.sent === sockets.echoed + sockets.unanswered;
  while (!isQuiet()) await clock.sleep(TICK_MS);
}

async function obey(request: LoadRequest): Promise<void> {
  if (request.kind === 'send') {
    if (!sending) scheduledMs = clock.monotonic();
    sending = true;
    const enough = counts.sent + request.more;
    while (counts.sent < enough) await clock.sleep(TICK_MS);
  } else {
    ending = request.kind === 'end';
    if (ending) for (const socket of everySocket) socket.close();
    await quiet();
  }
  process.send?.(counts);
  if (request.kind !== 'send') {
    counts.latenciesMs = [];
    counts.lateMs = [];
  }
  if (!ending) return;
  agent.destroy();
  process.disconnect();
}

process.on('message', (request) => void obey(request as LoadRequest));
process.on('disconnect', () => process.exit(0));

for (let index = 0; index < options.sockets; index += 1) keepOpen();
clock.every(TICK_MS, sendDue);
