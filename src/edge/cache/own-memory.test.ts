import { expect, test } from 'vitest';
import { type Kept, KeptResponse } from './kept-response.ts';
import { bodyMemoryBytes, ownBody, ownText, textMemoryBytes } from './own-memory.ts';

test.each(['', 'plain', 'caf\u00e9', '\u20ac \ud83d\ude00'])('owns %j as it is', (text) => {
  expect(ownText(text)).toBe(text);
});

test('a body that is a part of something larger gets memory of its own', () => {
  const part = Buffer.from('of the pool');
  const own = ownBody(part) as Buffer;
  expect(own.equals(part)).toBe(true);
  expect(own.buffer.byteLength).toBe(own.length);
});

test('a body that is all there is of it is not copied', () => {
  const body = Buffer.allocUnsafeSlow(100);
  expect(ownBody(body)).toBe(body);
  expect(ownBody(null)).toBeNull();
});

test('characters beyond one byte make a text take two for each', () => {
  expect(textMemoryBytes('\u20ac'.repeat(100)) - textMemoryBytes('e'.repeat(100))).toBe(100);
  expect(bodyMemoryBytes('e'.repeat(100))).toBe(textMemoryBytes('e'.repeat(100)));
});

const kept = (body: string | Buffer): Kept => ({
  status: 200,
  fields: 'Content-Type: text/plain\r\n',
  body,
  bodyBytes: body.length,
  part: null,
  tags: [],
  path: '/a',
  target: '/a',
  askedUnder: 0,
  diskId: null,
  etag: null,
  lastModified: null,
  date: null,
  receivedAt: 0,
  ageOnArrivalMs: 0,
  lifetimeMs: 60_000,
  alwaysAsk: false,
  neverStale: false,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: null,
  immutable: false,
});

test.each(['text '.repeat(500), Buffer.alloc(20_000, 'bytes ')])(
  'what is made of a response for its clients does not hold its body a second time',
  (body) => {
    const response = new KeptResponse(kept(body), 0);
    const beforeBytes = response.sizeBytes;
    for (const nowMs of [0, 1_000, 2_500]) {
      const whole = response.wholeAt(nowMs, 'belay');
      expect(Buffer.from(whole ?? '').includes(body)).toBe(true);
      expect(Buffer.from(response.kept.body ?? '').equals(Buffer.from(body))).toBe(true);
    }
    expect(response.sizeBytes - beforeBytes).toBeLessThan(400);
  },
);
