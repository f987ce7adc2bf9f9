import type { Contender } from './contender.ts';
import { run } from './cores.ts';

/** The name that every request asks for. */
export const HOST = 'bench.localhost';

const CONNECTIONS = 32;

/** What wrk asks for, over and over. */
export interface Load {
  /** Of the origin, with its slash. */
  path: string;
  fields?: readonly string[];
  /** A file that says more, in wrk's Lua. */
  script?: string;
}

/** As fast as one thread with 32 connections can. Throws when an answer was not a good one. */
export async function wrk(
  contender: Contender,
  load: Load,
  seconds: number,
  core: number | 'any' = 'any',
): Promise<{ requests: number; perSecond: number }> {
  const fields = [`Host: ${HOST}`, ...(load.fields ?? [])];
  const args = [
    ...['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`],
    ...fields.flatMap((field) => ['-H', field]),
    ...(load.script === undefined ? [] : ['-s', load.script]),
    `http://127.0.0.1:${contender.port}${load.path}`,
  ];
  const said = await run('wrk', args, core);
  const requests = Number(/(\d+) requests in/.exec(said)?.[1]);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1]);
  if (!(requests > 0) || /Non-2xx|Socket errors/.test(said)) {
    throw new Error(`wrk against ${contender.name} failed:\n${said}`);
  }
  return { requests, perSecond };
}
