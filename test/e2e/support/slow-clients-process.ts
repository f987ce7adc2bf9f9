/**
 * The process behind slow-clients.ts: keeps so many connections of one kind, each as slow as it can
 * be without being told off for standing still, until its parent goes.
 */
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { SlowCounts, SlowKind, SlowOptions } from './slow-clients.ts';

/** They come one after the other, and a tick's worth at a time: arriving is not what is tried here. */
const TICK_MS = 10;
const CONNECTED_PER_TICK: Record<SlowKind, number> = {
  'slow-header': 100,
  'slow-body': 100,
  // Each has several megabytes sent to it before anybody notices that it does not read.
  'slow-reader': 1,
  silent: 200,
};
/** Everybody says, or reads, a little so often; in turn and not all at once. */
const PERIOD_MS = 500;
const SHARES = 10;
const READ_BYTES = 1_024;

const FIRST_WORDS: Record<SlowKind, string> = {
  'slow-header': 'GET /slow HTTP/1.1\r\nHost: slow\r\nX-Slow: ',
  'slow-body': 'PUT /slow HTTP/1.1\r\nHost: slow\r\nContent-Length: 1000000\r\n\r\n',
  'slow-reader': 'GET /large HTTP/1.1\r\nHost: slow\r\n\r\n',
  silent: '',
};

const options = JSON.parse(process.argv[2] ?? '') as SlowOptions;
const counts: SlowCounts = { open: 0, closed: 0, statuses: {} };
const sockets = new Set<Socket>();
let isReady = false;

function fill(): void {
  const missing = options.connections - sockets.size;
  const allowed = CONNECTED_PER_TICK[options.kind];
  for (let opened = 0; opened < Math.min(missing, allowed); opened += 1) open();
  if (isReady || counts.open < options.connections) return;
  isReady = true;
  process.send?.(counts);
}

function open(): void {
  const socket = connect({ host: '127.0.0.1', port: options.port });
  sockets.add(socket);
  let isOpen = false;
  socket.once('connect', () => {
    isOpen = true;
    counts.open += 1;
    socket.write(FIRST_WORDS[options.kind]);
    if (options.kind === 'slow-reader') socket.pause();
    else socket.once('data', noteStatus);
  });
  socket.on('error', () => {
    // The close that follows counts it.
  });
  socket.on('close', () => {
    sockets.delete(socket);
    if (isOpen) counts.open -= 1;
    counts.closed += 1;
  });
}

function noteStatus(bytes: Buffer): void {
  const status = bytes.toString('latin1', 9, 12);
  counts.statuses[status] = (counts.statuses[status] ?? 0) + 1;
}

let turn = 0;
function saySomething(): void {
  turn += 1;
  let index = 0;
  for (const socket of sockets) {
    index += 1;
    if (index % SHARES !== turn % SHARES || socket.connecting) continue;
    // Read from what Node has read already: the kernel's buffer stays as full as it is.
    if (options.kind === 'slow-reader') socket.read(READ_BYTES);
    else if (options.kind !== 'silent') socket.write('x');
  }
}

process.on('message', () => process.send?.(counts));
process.on('disconnect', () => process.exit(0));
systemClock.every(PERIOD_MS / SHARES, saySomething);
systemClock.every(TICK_MS, fill);
