import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ownChild } from '../edge/processes.ts';

export interface ClientOptions {
  port: number;
  /** The Host header. */
  host: string;
  ratePerSecond: number;
}

export type ClientRequest = 'begin' | 'end';

/** What the client saw between a beginning and an end. */
export interface Account {
  sent: number;
  /** Not answered with a whole 200. */
  lost: number;
  /** The longest time without a successful answer. */
  longestGapMs: number;
  /** From when a request was due to the end of its answer, of those that succeeded. */
  p99Ms: number;
  /** When each body was last answered, on the wall clock. */
  lastAnswerAt: Record<string, number>;
  /** How often each thing went wrong. */
  failures: Record<string, number>;
}

export interface Client {
  begin(): Promise<void>;
  end(): Promise<Account>;
  stop(): void;
}

export function startClient(options: ClientOptions): Client {
  const program = join(import.meta.dirname, 'client-process.ts');
  const child = ownChild(fork(program, [JSON.stringify(options)]));
  const ask = async (request: ClientRequest): Promise<unknown> => {
    const answer = once(child, 'message');
    child.send(request);
    return (await answer)[0];
  };
  return {
    begin: async () => void (await ask('begin')),
    end: async () => (await ask('end')) as Account,
    stop: () => void child.kill('SIGKILL'),
  };
}
