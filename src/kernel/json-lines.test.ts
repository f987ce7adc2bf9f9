import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from './fault.ts';
import { encodeLine, lineDecoder } from './json-lines.ts';

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return thrown instanceof Fault ? thrown.code : 'not a fault';
  }
};

describe('JSON lines', () => {
  it('arrive whole however the stream is cut', () => {
    const messages = fc.array(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.dictionary(fc.string(), fc.integer())),
    );
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 7 }), (sent, size) => {
        const bytes = Buffer.from(sent.map(encodeLine).join(''));
        const decode = lineDecoder(100_000);
        const received: unknown[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          received.push(...decode(bytes.subarray(at, at + size)));
        }
        expect(JSON.stringify(received)).toBe(JSON.stringify(sent));
      }),
    );
  });

  it('may have empty lines between them', () => {
    expect(lineDecoder(100)(Buffer.from('\n1\n\n2\n'))).toEqual([1, 2]);
  });

  it('refuses a line that is not JSON', () => {
    expect(codeOf(() => lineDecoder(100)(Buffer.from('{oops\n')))).toBe('bad-line');
  });

  it('refuses to hold a line longer than agreed', () => {
    const decode = lineDecoder(10);
    expect(decode(Buffer.from('123456789'))).toEqual([]);
    expect(codeOf(() => decode(Buffer.from('01234')))).toBe('line-too-long');
  });
});
