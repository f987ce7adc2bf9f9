import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Clients that hold on to what they have and hardly use it, in a process of their own. */

export type SlowKind =
  /** A head that comes byte by byte and never ends. */
  | 'slow-header'
  /** A body that does. */
  | 'slow-body'
  /** Asks for much and reads next to nothing. */
  | 'slow-reader'
  /** Connects and says nothing. */
  | 'silent';

export interface SlowOptions {
  kind: SlowKind;
  port: number;
  /** How many are kept; one that is closed is replaced. */
  connections: number;
}

export interface SlowCounts {
  open: number;
  /** Connections that the other side ended, or that could not be made. */
  closed: number;
  /** Answers that came whole, by status; of those that are still being read, none. */
  statuses: Record<string, number>;
}

export interface SlowClients {
  counts(): Promise<SlowCounts>;
  /** Resets every connection and ends. */
  end(): Promise<void>;
}

/** Resolves when all of them are connected and have said what they say first. */
export async function startSlowClients(options: SlowOptions): Promise<SlowClients> {
  const program = join(import.meta.dirname, 'slow-clients-process.ts');
  const child = fork(program, [JSON.stringify(options)], { execArgv: [] });
  await answerOf(child);
  return {
    counts() {
      child.send('counts');
      return answerOf(child);
    },
    async end() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function answerOf(child: ChildProcess): Promise<SlowCounts> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the slow clients have ended: ${signal ?? code}`);
  });
  ended.catch(() => undefined);
  const [counts] = await Promise.race([once(child, 'message'), ended]);
  return counts as SlowCounts;
}
