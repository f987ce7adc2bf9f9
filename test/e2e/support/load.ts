import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The independent client, as a test sees it. */

export interface LoadOptions {
  port: number;
  /** The Host header. */
  host: string;
  ratePerSecond: number;
  /** WebSockets kept open. */
  sockets: number;
  /** At most; 64 when left out. */
  connections?: number;
  /** So many pages are asked for in turn, in place of numbers; each answers with its path. */
  pages?: number;
}

export interface LoadFailure {
  number: string;
  method: string;
  kind: 'status' | 'wrong' | 'reset-before-head' | 'reset-in-body';
  detail: string;
  at: number;
}

/** A WebSocket that had opened and was closed by the other side. */
export interface SocketClose {
  /** The instance that had accepted it. */
  instance: string;
  at: number;
}

/** Cumulative, but for the times, which are those since the last pause. */
export interface LoadCounts {
  sent: number;
  /** Answered 200 with the number that was sent. */
  ok: number;
  /** Answered 200 with something else. */
  wrong: number;
  /** Answered otherwise, by status. */
  statuses: Record<string, number>;
  /** Answered as they should be, by who answered. */
  byInstance: Record<string, number>;
  resetBeforeHead: number;
  resetInBody: number;
  /** The latest. */
  failures: LoadFailure[];
  /** From the scheduled time to the end of the answer. */
  latenciesMs: number[];
  /** How much later than scheduled the client itself came to send: a busy machine shows here. */
  lateMs: number[];
  closes: SocketClose[];
  sockets: {
    opened: number;
    open: number;
    /** After they had opened. */
    closed: number;
    /** Answered, but not with an upgrade. */
    refused: number;
    /** Not answered. */
    failed: number;
    sent: number;
    echoed: number;
    wrong: number;
    /** Not echoed before their socket closed. */
    unanswered: number;
  };
}

/** What the test asks of the client's process; the answer to each is its counts. */
export type LoadRequest = { kind: 'send'; more: number } | { kind: 'pause' } | { kind: 'end' };

export interface Load {
  /** Sends until told to pause; resolves when so many more requests have been sent. */
  send(more: number): Promise<LoadCounts>;
  /** Resolves when every request has ended and every WebSocket is open. */
  pause(): Promise<LoadCounts>;
  /** Closes the WebSockets too, and ends. */
  end(): Promise<LoadCounts>;
  /** Ends it, whatever it does. */
  kill(): void;
}

export function startLoad(options: LoadOptions): Load {
  const program = join(import.meta.dirname, 'load-client.ts');
  const child = fork(program, [JSON.stringify(options)], { execArgv: [] });
  const waiting: { resolve: (counts: LoadCounts) => void; reject: (cause: Error) => void }[] = [];
  child.on('message', (counts) => waiting.shift()?.resolve(counts as LoadCounts));
  child.on('exit', (code, signal) => {
    const cause = new Error(`the client has ended: ${signal ?? code}`);
    for (const { reject } of waiting.splice(0)) reject(cause);
  });
  const ask = (request: LoadRequest): Promise<LoadCounts> =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.send(request);
    });
  return {
    send: (more) => ask({ kind: 'send', more }),
    pause: () => ask({ kind: 'pause' }),
    async end() {
      const counts = await ask({ kind: 'end' });
      if (child.exitCode === null) await once(child, 'exit');
      return counts;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Requests that ended in another way than they should. */
export const failed = (counts: LoadCounts): number => counts.sent - counts.ok;

/** Everything the edge has an account of: requests, and WebSockets that came to an end. */
export function ended({ sent, sockets }: LoadCounts): number {
  return sent + sockets.closed + sockets.refused + sockets.failed;
}

/** @param share 0.99 for p99 */
export function percentile(valuesMs: readonly number[], share: number): number {
  const value = valuesMs.toSorted((a, b) => a - b)[Math.floor(valuesMs.length * share)];
  if (value === undefined) throw new Error('there is no percentile of nothing');
  return value;
}

export function difference(earlier: LoadCounts, later: LoadCounts): LoadCounts {
  const minus = <T extends Record<string, number>>(a: T, b: T): T =>
    Object.fromEntries(Object.entries(a).map(([key, value]) => [key, value - (b[key] ?? 0)])) as T;
  return {
    sent: later.sent - earlier.sent,
    ok: later.ok - earlier.ok,
    wrong: later.wrong - earlier.wrong,
    statuses: minus(later.statuses, earlier.statuses),
    byInstance: minus(later.byInstance, earlier.byInstance),
    resetBeforeHead: later.resetBeforeHead - earlier.resetBeforeHead,
    resetInBody: later.resetInBody - earlier.resetInBody,
    failures: later.failures.filter(
      ({ number }) => !earlier.failures.some((one) => one.number === number),
    ),
    latenciesMs: later.latenciesMs,
    lateMs: later.lateMs,
    closes: later.closes.slice(earlier.closes.length),
    sockets: { ...minus(later.sockets, earlier.sockets), open: later.sockets.open },
  };
}
