/**
 * An independent client that asks for many things at once: each request on a connection of its own,
 * all of them sent before it looks for an answer, none of them twice. Every other one is a POST whose
 * body has to come back whole. It knows nothing of Belay.
 *
 * Started by burst.ts with its options as JSON; it talks over the IPC channel.
 */
import { type IncomingMessage, request } from 'node:http';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { BurstAnswer, BurstOptions } from './burst.ts';

const options = JSON.parse(process.argv[2] ?? '') as BurstOptions;
const clock = systemClock;

/** Different for every request, and in no part like another. Plain text, as the app gives it back. */
function bodyOf(number: number): Buffer {
  const words = new Uint32Array(Math.ceil(options.bodyBytes / 8));
  for (let index = 0; index < words.length; index += 1) {
    words[index] = Math.imul(number + index * 7_919, 2_654_435_761);
  }
  return Buffer.from(Buffer.from(words.buffer).toString('hex').slice(0, options.bodyBytes));
}

const send = (number: number): Promise<BurstAnswer> =>
  new Promise((resolve) => {
    const sentMs = clock.monotonic();
    const body = number % 2 === 0 ? bodyOf(number) : null;
    const end = (answer: Partial<BurstAnswer>): void =>
      resolve({
        status: 0,
        right: false,
        instance: '',
        retryAfter: null,
        failure: null,
        ...answer,
        tookMs: clock.monotonic() - sentMs,
      });
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: options.port,
        agent: false,
        method: body ? 'POST' : (options.method ?? 'GET'),
        path: options.path ?? `/number/${number}`,
        headers: {
          host: options.host,
          'x-number': String(number),
          ...(body ? { 'content-length': body.length } : {}),
        },
      },
      (response: IncomingMessage) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', ({ message }) => end({ failure: message }));
        response.on('end', () => {
          const expected = body ?? Buffer.from(String(number));
          end({
            status: response.statusCode ?? 0,
            right: Buffer.concat(pieces).equals(expected),
            instance: String(response.headers['x-instance'] ?? ''),
            retryAfter: response.headers['retry-after'] ?? null,
          });
        });
      },
    );
    outgoing.on('error', ({ message }) => end({ failure: message }));
    outgoing.end(body);
  });

const first = options.first ?? 1;
const numbers = Array.from({ length: options.requests }, (_, index) => first + index);
process.send?.(await Promise.all(numbers.map(send)), () => process.disconnect?.());
