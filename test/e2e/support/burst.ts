import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Many requests at once by the independent client, as a test sees them. */

export interface BurstOptions {
  port: number;
  /** The Host header. */
  host: string;
  requests: number;
  /** Of the bodies of those that have one: every other, the even ones. */
  bodyBytes: number;
  /** The number of the first; 1 when left out. */
  first?: number;
  /** Of those without a body. */
  method?: 'GET' | 'HEAD';
  /** Asked for in place of the number. */
  path?: string;
}

export interface BurstAnswer {
  /** 0: there was none. */
  status: number;
  /** It gave back what it was sent. */
  right: boolean;
  /** Who answered. */
  instance: string;
  retryAfter: string | null;
  failure: string | null;
  tookMs: number;
}

export async function burst(options: BurstOptions): Promise<BurstAnswer[]> {
  const program = join(import.meta.dirname, 'burst-client.ts');
  const child = fork(program, [JSON.stringify(options)], { execArgv: [] });
  const exit = once(child, 'exit');
  const answers = once(child, 'message');
  const outcome = await Promise.race([answers, exit.then(() => null)]);
  await exit;
  if (outcome === null) throw new Error('the client has ended without an answer');
  return outcome[0] as BurstAnswer[];
}

/** How many were answered so, and as they should be. */
export const rightly = (answers: readonly BurstAnswer[]): number =>
  answers.filter(({ status, right }) => status === 200 && right).length;
