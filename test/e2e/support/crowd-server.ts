/**
 * An app that many ask at once, in a process of its own: it counts who has reached it, holds answers
 * back, and does with them what it is told. It tells its port over the IPC channel first.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/kernel/clock.ts';
import { type CrowdOrder, LARGE_BYTES, pieceOf } from './crowd.ts';

/** Long enough for a crowd to have come. */
const HOLD_MS = 300;

const asked = new Map<string, string[]>();
const doing = new Map<string, CrowdOrder['doing']>();
/** Large answers of which half is sent. */
const held = new Map<string, ServerResponse[]>();
const released = new Set<string>();

const server = createServer((request, response) => {
  const path = request.url ?? '';
  if (path === '/healthz') {
    response.end();
    return;
  }
  asked.set(path, [...(asked.get(path) ?? []), String(request.headers['x-request-id'])]);
  if (path.startsWith('/large')) beginLarge(path, response);
  else systemClock.after(HOLD_MS, () => answer(path, response));
});

function answer(path: string, response: ServerResponse): void {
  switch (doing.get(path)) {
    case 'fail':
      response.writeHead(500);
      response.end('failed');
      return;
    case 'cut':
      response.socket?.destroy();
      return;
    case 'hang':
      return;
    default:
      response.writeHead(200, { 'Cache-Control': 'max-age=1', 'Content-Length': path.length });
      response.end(path);
  }
}

function beginLarge(path: string, response: ServerResponse): void {
  response.writeHead(200, { 'Cache-Control': 'max-age=3600', 'Content-Length': LARGE_BYTES });
  response.write(pieceOf(path, 0, LARGE_BYTES / 2));
  held.set(path, [...(held.get(path) ?? []), response]);
  if (released.has(path)) release(path);
}

function release(path: string): void {
  released.add(path);
  for (const response of held.get(path) ?? []) {
    response.end(pieceOf(path, LARGE_BYTES / 2, LARGE_BYTES));
  }
  held.delete(path);
}

process.on('message', ({ path, doing: what, forget }: CrowdOrder) => {
  if (what === 'release') release(path);
  else if (what !== undefined) doing.set(path, what);
  process.send?.(asked.get(path) ?? []);
  if (forget) asked.delete(path);
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
