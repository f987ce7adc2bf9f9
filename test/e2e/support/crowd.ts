import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../src/kernel/clock.ts';

/** Many clients that ask for the same at once, and the app they ask. */

export const LARGE_BYTES = 4 * 1024 * 1024;

/** What the app is to do with answers to a path from now on; `release`: send the rest of large ones. */
export interface CrowdOrder {
  path: string;
  doing?: 'answer' | 'fail' | 'cut' | 'hang' | 'release';
  /** Counts anew. */
  forget?: boolean;
}

export interface CrowdServer {
  port: number;
  /** Resolves with the edge's ids of the requests for the path that have reached the app. */
  tell(order: CrowdOrder): Promise<string[]>;
  kill(): void;
}

export async function startCrowdServer(): Promise<CrowdServer> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'crowd-server.ts'), { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  let turn: Promise<unknown> = Promise.resolve();
  return {
    port,
    tell(order) {
      const answered = turn.then(async () => {
        child.send(order);
        const [ids] = (await once(child, 'message')) as [string[]];
        return ids;
      });
      turn = answered;
      return answered;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** A body in which every byte is of its place and its path. */
export function pieceOf(path: string, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  let seed = 0;
  for (const character of path) seed = (seed * 33 + character.charCodeAt(0)) & 0xff;
  for (let at = start; at < end; at += 1) bytes[at - start] = (at * 31 + seed) & 0xff;
  return bytes;
}

export interface Answered {
  /** 0: none, or not all of one. */
  status: number;
  body: Buffer;
  tookMs: number;
}

/** One request on a connection of its own, by hand: what comes is what was sent. */
export function ask(port: number, path: string): Promise<Answered> {
  const startedMs = systemClock.monotonic();
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n`);
    socket.on('data', (bytes: Buffer) => pieces.push(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      const tookMs = systemClock.monotonic() - startedMs;
      resolve({ ...answerIn(Buffer.concat(pieces)), tookMs });
    });
  });
}

function answerIn(bytes: Buffer): Pick<Answered, 'status' | 'body'> {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('latin1', 0, Math.max(0, headEnd));
  const body = bytes.subarray(headEnd + 4);
  const told = /\r\nContent-Length: (\d+)/i.exec(head)?.[1];
  const isWhole = /\r\nTransfer-Encoding: chunked/i.test(head)
    ? body.toString('latin1').endsWith('0\r\n\r\n')
    : told !== undefined && Number(told) === body.length;
  return { status: isWhole ? Number(head.slice(9, 12)) : 0, body };
}
