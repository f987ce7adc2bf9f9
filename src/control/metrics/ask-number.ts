import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf, systemCode } from '../../kernel/fault.ts';

/** Asks a URL for a number of the app's own: one GET on a connection of its own. */

const TIMEOUT_MS = 2_000;
/** Far more than a number takes. */
const MAX_BODY_BYTES = 1_024;
/** What JSON calls a number, without a sign. */
const NUMBER = /^[ \t\r\n]*(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?[ \t\r\n]*$/;

export type NumberAnswer = { kind: 'number'; value: number } | { kind: 'none'; why: string };

/**
 * The answer must be 200 with nothing but a finite number that is not below 0, within two seconds.
 * Redirects are not followed. Never rejects.
 */
export function askNumber(url: string, clock: Clock, signal: AbortSignal): Promise<NumberAnswer> {
  return new Promise((resolve) => {
    let outgoing: ClientRequest | null = null;
    const settle = (answer: NumberAnswer): void => {
      deadline.cancel();
      resolve(answer);
      outgoing?.destroy();
    };
    const fail = (why: string): void => settle({ kind: 'none', why });
    const deadline = clock.after(TIMEOUT_MS, () =>
      fail(`no answer within ${TIMEOUT_MS / 1_000} s`),
    );
    try {
      outgoing = request(url, {
        agent: false,
        headers: { accept: 'text/plain, application/json', 'user-agent': 'Belay-Metrics/1' },
        signal,
      });
    } catch (thrown) {
      fail(messageOf(thrown));
      return;
    }
    outgoing.on('response', (response) => readNumber(response, settle));
    outgoing.on('error', (error) => fail(sentence(error)));
    outgoing.end();
  });
}

function readNumber(response: IncomingMessage, settle: (answer: NumberAnswer) => void): void {
  const { statusCode } = response;
  if (statusCode !== 200) {
    settle({ kind: 'none', why: `answered ${statusCode}` });
    return;
  }
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    chunks.push(chunk);
    if (sizeBytes > MAX_BODY_BYTES) {
      settle({ kind: 'none', why: `answered more than ${MAX_BODY_BYTES} bytes` });
    }
  });
  response.on('end', () => settle(numberIn(Buffer.concat(chunks).toString('latin1'))));
  response.on('error', (error) => settle({ kind: 'none', why: sentence(error) }));
}

function numberIn(text: string): NumberAnswer {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value)
    ? { kind: 'number', value }
    : { kind: 'none', why: 'answered something else than a number from 0 on' };
}

function sentence(error: Error): string {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'closed the connection without a whole answer';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host name could not be resolved';
  }
  return `could not be asked: ${messageOf(error)}`;
}
