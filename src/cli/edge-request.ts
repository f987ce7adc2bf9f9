import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf, systemCode } from '../kernel/fault.ts';
import type { DaemonView } from '../model/view.ts';

/** Requests through the edge of this machine, as any client makes them. */

export interface EdgeAnswer {
  status: number;
  fields: IncomingHttpHeaders;
  bodyBytes: number;
  tookMs: number;
}

/** Without a byte for so long, nothing comes any more. */
const QUIET_MS = 60_000;
/** As today's browsers say it: what they get is kept under another key than what takes no coding. */
const ACCEPT_ENCODING = 'gzip, deflate, br, zstd';

export class EdgeClient {
  readonly #agent: Agent;
  readonly #listener: { host: string; port: number };
  readonly #clock: Clock;

  /** @throws `edge-unreachable` */
  constructor({ edge }: DaemonView, connections: number, clock: Clock) {
    const listener = edge?.listeners[0];
    if (!listener) {
      throw new Fault({
        code: 'edge-unreachable',
        message: 'the edge cannot be reached',
        hint: 'see how it does with: belay daemon status',
        retryable: true,
      });
    }
    this.#listener = { host: reachable(listener.host), port: listener.port };
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#clock = clock;
  }

  /**
   * Reads the whole answer, and keeps none of its body.
   *
   * @param headers beside those that every browser sends
   * @throws `edge-unreachable`, `no-answer`, and what the signal was aborted with
   */
  ask(
    method: 'GET' | 'HEAD',
    { host, target }: { host: string; target: string },
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<EdgeAnswer> {
    const startedMs = this.#clock.monotonic();
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => reject(signal.aborted ? signal.reason : fault(cause));
      const outgoing = request({
        ...this.#listener,
        agent: this.#agent,
        method,
        path: target,
        headers: { host, accept: '*/*', 'accept-encoding': ACCEPT_ENCODING, ...headers },
        timeout: QUIET_MS,
        signal,
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no byte in ${QUIET_MS / 1_000} s`)));
      outgoing.on('error', fail);
      outgoing.on('response', (answer) => {
        let bodyBytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bodyBytes += chunk.length;
        });
        answer.on('error', fail);
        answer.on('end', () => {
          const tookMs = this.#clock.monotonic() - startedMs;
          resolve({ status: answer.statusCode ?? 0, fields: answer.headers, bodyBytes, tookMs });
        });
      });
      outgoing.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Who listens everywhere answers here. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function fault(cause: unknown): Fault {
  const refused = systemCode(cause) === 'ECONNREFUSED';
  return new Fault({
    code: refused ? 'edge-unreachable' : 'no-answer',
    message: refused
      ? 'the edge cannot be reached'
      : `the edge gave no answer: ${messageOf(cause)}`,
    hint: 'see how it does with: belay daemon status',
    retryable: true,
    cause,
  });
}
