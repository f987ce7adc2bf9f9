import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf, systemCode } from '../../kernel/fault.ts';
import type { Target } from '../../model/snapshot.ts';
import type { TargetReason } from '../../model/target.ts';

/** One question to a target: a connection of its own, one request, and what came of it, in words. */

/** Enough for any health page; what lies behind it is not read. */
const MAX_BODY_BYTES = 64 * 1024;

interface Question {
  /** Or `*`: the server itself is asked, whatever it serves (RFC 9110 section 9.3.7). */
  path: string;
  timeoutMs: number;
  /** What of the answer's body is waited for; `until` stops as soon as the text has come. */
  read: 'nothing' | 'all' | { until: string };
}

interface Why {
  reason: TargetReason;
  description: string;
}

export type Answer =
  | { kind: 'none'; why: Why }
  /** `cutOff` says why the body did not come to its end; null when it did, or need not. */
  | { kind: 'answer'; status: number; body: string; cutOff: Why | null };

/** `GET /healthz`, or `OPTIONS *`. */
export const questionText = (path: string): string => `${methodFor(path)} ${path}`;

const methodFor = (path: string): string => (path === '*' ? 'OPTIONS' : 'GET');

export function ask(
  clock: Clock,
  target: Pick<Target, 'host' | 'port'>,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve) => {
    const what = questionText(question.path);
    const late = `within ${question.timeoutMs / 1000} s`;
    let body: Body | null = null;
    const outgoing = request({
      host: target.host,
      port: target.port,
      method: methodFor(question.path),
      path: question.path,
      agent: false,
      headers: { 'user-agent': 'Belay-HealthChecker/1', accept: '*/*', connection: 'close' },
      signal,
    });
    const deadline = clock.after(question.timeoutMs, () => {
      if (body) body.cutOff('Target.Timeout', `did not finish its answer to ${what} ${late}`);
      else resolve(none('Target.Timeout', `no answer to ${what} ${late}`));
      outgoing.destroy();
    });
    outgoing.on('response', (response) => {
      body = new Body(outgoing, response, question.read, resolve);
      response.on('close', () =>
        body?.cutOff(
          'Target.FailedHealthChecks',
          `closed the connection before the end of its answer to ${what}`,
        ),
      );
    });
    // Behind the head, the response tells of its end itself.
    outgoing.on('error', (error) => {
      if (!body) resolve(none('Target.FailedHealthChecks', sentence(error, what)));
    });
    outgoing.on('close', () => deadline.cancel());
    outgoing.end();
  });
}

/** Reads what is wanted of a body, and no more than the bound. Answers once. */
class Body {
  readonly #outgoing: ClientRequest;
  readonly #status: number;
  readonly #read: Question['read'];
  readonly #resolve: (answer: Answer) => void;
  readonly #kept: Buffer;
  #length = 0;
  #received = 0;

  constructor(
    outgoing: ClientRequest,
    response: IncomingMessage,
    read: Question['read'],
    resolve: (answer: Answer) => void,
  ) {
    this.#outgoing = outgoing;
    this.#status = response.statusCode ?? 0;
    this.#read = read;
    this.#resolve = resolve;
    this.#kept = Buffer.alloc(read === 'nothing' ? 0 : MAX_BODY_BYTES);
    if (read === 'nothing') this.#answer(null);
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.on('end', () => this.#answer(null));
  }

  cutOff(reason: TargetReason, description: string): void {
    this.#answer({ reason, description });
  }

  #take(chunk: Buffer): void {
    const before = this.#length;
    this.#length += chunk.copy(this.#kept, before);
    this.#received += chunk.length;
    const isEnough = this.#holdsText(before);
    if (isEnough || this.#received >= MAX_BODY_BYTES) this.#answer(null);
    // A short rest is let in, so that the app does not see a reset after every check.
    if (this.#received >= MAX_BODY_BYTES) this.#outgoing.destroy();
  }

  /** Looks only where the text may lie newly, so that single bytes do not cost a search each. */
  #holdsText(before: number): boolean {
    if (typeof this.#read === 'string') return false;
    const { until } = this.#read;
    const from = Math.max(0, before - Buffer.byteLength(until));
    return this.#kept.subarray(from, this.#length).includes(until);
  }

  #answer(cutOff: Why | null): void {
    const body = this.#kept.toString('utf8', 0, this.#length);
    this.#resolve({ kind: 'answer', status: this.#status, body, cutOff });
  }
}

const none = (reason: TargetReason, description: string): Answer => ({
  kind: 'none',
  why: { reason, description },
});

function sentence(error: Error, what: string): string {
  const code = systemCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return `closed the connection without an answer to ${what}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host name could not be resolved';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return 'its address could not be reached';
  }
  if (code?.startsWith('HPE_')) return `answered ${what} with something that is not HTTP`;
  return `could not be asked: ${messageOf(error)}`;
}
