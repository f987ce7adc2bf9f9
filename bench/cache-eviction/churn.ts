import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Kept, KeptResponse, TEXT_BODY_BYTES } from '../../src/edge/cache/kept-response.ts';
import { MemoryStore } from '../../src/edge/cache/memory-store.ts';

/**
 * Responses of ever new addresses go through a store, and some of them are asked for again: what the
 * store says it takes, at its most, and what the process takes at the end, beside the bound.
 */

export interface Churn {
  boundBytes: number;
  bodyBytes: number;
  responses: number;
  /** Answers a client, once it is there, with what is made of it for that. */
  hit: boolean;
}

export interface Churned extends Churn {
  kept: number;
  /** At any time. */
  mostAccountedBytes: number;
  /** What the store says at the end, and what the process has more than when it was empty. */
  accountedBytes: number;
  takenBytes: number;
}

/** Of what is there, some are still asked for when this many have come after them. */
const BACK = 1_000;
const HIT_EVERY = 2;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export function churn(options: Churn): Churned {
  const emptyBytes = takenBytes();
  const store = new MemoryStore<KeptResponse>({ boundBytes: options.boundBytes });
  let mostAccountedBytes = 0;
  for (let i = 0; i < options.responses; i += 1) {
    const response = responseOf(i, options.bodyBytes);
    store.put(keyOf(i), response, response.sizeBytes);
    if (options.hit) hit(store, i);
    if (i % HIT_EVERY === 0) hit(store, i - BACK);
    mostAccountedBytes = Math.max(mostAccountedBytes, store.sizeBytes);
  }
  const { count: kept, sizeBytes: accountedBytes } = store;
  const fullBytes = takenBytes();
  store.clear();
  // What Node needed for its start is let go meanwhile: the less of before and after is empty.
  const baseBytes = Math.min(emptyBytes, takenBytes());
  return {
    ...options,
    kept,
    mostAccountedBytes,
    accountedBytes,
    takenBytes: fullBytes - baseBytes,
  };
}

/** As the cache does it: what is made of a response for its clients counts from then on. */
function hit(store: MemoryStore<KeptResponse>, number: number): void {
  const key = keyOf(number);
  const response = store.get(key);
  if (response === null) return;
  const isFirst = !response.isInOnePiece;
  const piece = response.wholeAt(Math.max(0, number), 'belay');
  // Writing a text makes one piece of its parts.
  if (typeof piece === 'string') Buffer.from(piece, 'latin1');
  if (isFirst) store.resized(key, response.sizeBytes);
}

const keyOf = (number: number): string => `shop/production 12 www.example.com${targetOf(number)}`;
const targetOf = (number: number): string => `/articles/${number}?page=${number % 10}`;

/** What an API answers. */
function responseOf(number: number, bodyBytes: number): KeptResponse {
  const date = 'Sat, 21 Nov 2026 21:00:00 GMT';
  const etag = `"${number.toString(36)}-1a2b3c4d"`;
  const kept: Kept = {
    status: 200,
    fields:
      `Content-Type: application/json; charset=utf-8\r\nCache-Control: public, max-age=60\r\n` +
      `ETag: ${etag}\r\nDate: ${date}\r\nVary: Accept-Encoding\r\n`,
    body: bodyOf(bodyBytes),
    bodyBytes,
    tags: [],
    path: `/articles/${number}`,
    target: targetOf(number),
    askedUnder: 0,
    diskId: null,
    etag,
    lastModified: null,
    date,
    receivedAt: number + 0.5,
    ageOnArrivalMs: 0,
    lifetimeMs: 60_000,
    alwaysAsk: false,
    neverStale: false,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: null,
    immutable: false,
    part: null,
  };
  return new KeptResponse(kept, 0.5);
}

function bodyOf(bodyBytes: number): string | Buffer {
  const body = Buffer.allocUnsafeSlow(bodyBytes).fill('a');
  return bodyBytes <= TEXT_BODY_BYTES ? body.toString('latin1') : body;
}

function takenBytes(): number {
  // What is outside of the heap is let go only some rounds after the object that had it.
  for (let round = 0; round < 4; round += 1) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
