import { describe, expect, it } from 'vitest';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import { limitsFrom } from '../limits.ts';
import { refusals } from './refusal.ts';
import type { RequestHead } from './request-head.ts';
import { RequestReader } from './request-reader.ts';

const limits = { ...limitsFrom(DEFAULT_EDGE_SETTINGS), headBytes: 1_024, targetBytes: 128 };
const ONE = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n';
const TWO = 'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n';

function reading(text: string): RequestReader {
  const reader = new RequestReader(limits);
  reader.add(Buffer.from(text, 'latin1'));
  return reader;
}
const targetOf = (head: ReturnType<RequestReader['next']>) => (head as RequestHead | null)?.target;

describe('a request reader', () => {
  it('gives one head after the other, and then none', () => {
    const reader = reading(ONE + TWO);
    expect([targetOf(reader.next()), targetOf(reader.next())]).toEqual(['/1', '/2']);
    expect(reader.next()).toBeNull();
    expect(reader.held).toBeNull();
  });

  it('waits for the rest of a head, wherever it is cut', () => {
    for (let cut = 1; cut < ONE.length; cut += 1) {
      const reader = reading(ONE.slice(0, cut));
      expect(reader.next(), `${cut}`).toBeNull();
      expect(reader.headBegun).toBe(true);
      reader.add(Buffer.from(ONE.slice(cut) + TWO, 'latin1'));
      expect([targetOf(reader.next()), targetOf(reader.next())]).toEqual(['/1', '/2']);
      expect(reader.headBegun).toBe(false);
    }
  });

  it('holds what is behind a head for whoever reads the body', () => {
    const reader = reading(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi${TWO}`);
    reader.next();
    expect(reader.held?.toString()).toBe(`hi${TWO}`);
    reader.consume(2);
    expect(targetOf(reader.next())).toBe('/2');
    reader.consume(10);
    expect(reader.take()).toBeNull();
  });

  it('skips one empty line before each head, and no more', () => {
    const reader = reading(`\r\n${ONE}\r\n${TWO}\r\n\r\n${ONE}`);
    expect([targetOf(reader.next()), targetOf(reader.next())]).toEqual(['/1', '/2']);
    expect(reader.next()).toBe(refusals.malformedLine);
  });

  it.each([
    ['a bare LF', 'GET / HTTP/1.1\r\nX-A: b\nX-C', refusals.controlCharacter],
    ['a bare CR', 'GET / HTTP/1.1\r\nX-A: b\rX', refusals.controlCharacter],
    ['NUL', 'GET / HTTP/1.1\r\nX-A: b\0', refusals.controlCharacter],
    ['a bad line', 'GET  / HTTP/1.1\r\n', refusals.badTarget],
    ['no line at all', 'A'.repeat(200), refusals.targetTooLong],
    ['too much of it', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(1_024)}`, refusals.headTooLarge],
  ])('does not wait for the end of a head with %s', (_, text, refusal) => {
    expect(reading(text).next()).toBe(refusal);
  });

  it('finds in a later piece what is wrong across the cut', () => {
    const reader = reading('GET / HTTP/1.1\r\nX-A: b\r');
    expect(reader.next()).toBeNull();
    reader.add(Buffer.from('X'));
    expect(reader.next()).toBe(refusals.controlCharacter);
  });
});
