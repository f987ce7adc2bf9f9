import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNKED, UNTIL_CLOSE } from './body-framing.ts';
import { BodyReader } from './body-reader.ts';
import { latin1 } from './latin1.ts';

/** Reads the pieces, and says what came of them and what of the last one was left over. */
function read(framing: number, pieces: readonly Buffer[]) {
  const reader = new BodyReader();
  reader.start(framing);
  let body = '';
  const sink = {
    data(bytes: Buffer, start: number, end: number) {
      body += latin1(bytes, start, end);
    },
  };
  let left = '';
  for (const piece of pieces) {
    const stopped = reader.done ? 0 : reader.read(piece, 0, sink);
    left += latin1(piece, stopped, piece.length);
  }
  return { reader, body, left };
}

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const NEXT = 'GET /next HTTP/1.1\r\n\r\n';

const anyText = fc.string({ unit: fc.constantFrom(...'a0\r\n;:\0\xff'), maxLength: 30 });
const cuts = fc.array(fc.nat(200), { maxLength: 5 });
const cutAt = (bytes: Buffer, at: readonly number[]) => {
  const ends = [0, ...at.toSorted((a, b) => a - b), bytes.length];
  return ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
};

describe('a body reader', () => {
  it('ends a body by length exactly where it ends, however it is cut', () => {
    fc.assert(
      fc.property(anyText, cuts, (text, at) => {
        const { reader, body, left } = read(text.length, cutAt(bytesOf(text + NEXT), at));
        expect([reader.done, body, left]).toEqual([true, text, NEXT]);
      }),
    );
  });

  it('ends a chunked body exactly where it ends, however it is cut', () => {
    const chunks = fc.array(anyText.filter((text) => text !== ''));
    const extension = fc.constantFrom('', ';a', ';a=b;c', ';a="b;\\"c"');
    fc.assert(
      fc.property(chunks, extension, cuts, (texts, behind, at) => {
        const framed = [...texts, '']
          .map((text) => `${text.length.toString(16)}${behind}\r\n${text}\r\n`)
          .join('')
          .replace(/\r\n$/, 'X-Sum: 1\r\nX_A: 2\r\n\r\n');
        const { reader, body, left } = read(CHUNKED, cutAt(bytesOf(framed + NEXT), at));
        expect([reader.done, body, left]).toEqual([true, texts.join(''), NEXT]);
        expect(reader.receivedBytes).toBe(body.length);
        expect(reader.trailers).toBe('X-Sum: 1\r\n');
      }),
    );
  });

  it('never ends a body that ends with its connection', () => {
    const { reader, body, left } = read(UNTIL_CLOSE, [bytesOf('hello'), bytesOf(NEXT)]);
    expect([reader.done, body, left]).toEqual([false, `hello${NEXT}`, '']);
  });

  it('begins anew behind a malformed body', () => {
    const { reader } = read(CHUNKED, [bytesOf('nonsense\r\n')]);
    expect([reader.malformed, reader.done]).toEqual([true, false]);
    reader.start(0);
    expect([reader.malformed, reader.done]).toEqual([false, true]);
  });

  it.each([
    ['a size line without an end', '5'.repeat(300)],
    ['an extension without an end', `5;${'a'.repeat(300)}`],
    ['a trailer without an end', `0\r\nX-A: ${'a'.repeat(9_000)}`],
    ['trailers without an end', `0\r\n${'X-A: b\r\n'.repeat(1_100)}`],
    ['a trailer that is no field', '0\r\nhello\r\n\r\n'],
    ['a trailer that ends with LF', '0\r\nX-A: b\n'],
    ['data without its line end', '5\r\nhello5\r\n'],
    ['a size beyond counting', 'fffffffffffff\r\n'],
  ])('takes %s for malformed', (_, text) => {
    expect(read(CHUNKED, [bytesOf(text)]).reader.malformed).toBe(true);
  });

  it('takes the longest size a number holds', () => {
    const { reader } = read(CHUNKED, [bytesOf('ffffffffffff\r\nhello')]);
    expect([reader.malformed, reader.receivedBytes]).toEqual([false, 5]);
  });
});
