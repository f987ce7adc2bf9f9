import { describe, expect, it } from 'vitest';
import { FieldScanner } from './field-scanner.ts';

const scanner = new FieldScanner();

function scanned(text: string): {
  fields: [string, string][];
  problem: string | null;
  end: number;
} {
  const fields: [string, string][] = [];
  scanner.start(text, 0);
  while (scanner.next()) fields.push([scanner.name(), scanner.value()]);
  return { fields, problem: scanner.problem, end: scanner.position };
}

const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
/** RFC 9110 section 5.6.2. */
const isToken = (character: string) => /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(character);
/** RFC 9110 section 5.5. */
const isInValue = (character: string) => /[\t\x20-\x7e\x80-\xff]/.test(character);

describe('a field scanner', () => {
  it('walks lines to the empty one, and says where the head ends', () => {
    expect(scanned('Host: a\r\nX-A:\t b c \t\r\n\r\nbody')).toEqual({
      fields: [
        ['host', 'a'],
        ['x-a', 'b c'],
      ],
      problem: null,
      end: 24,
    });
  });

  it('takes in names the characters of a token, and no other of the 256', () => {
    for (const character of all) {
      if (character === ':') continue;
      const { fields } = scanned(`X${character}: b\r\n\r\n`);
      expect(fields.length, JSON.stringify(character)).toBe(isToken(character) ? 1 : 0);
    }
  });

  it('takes in values visible ones, blanks and bytes above 127, and no other of the 256', () => {
    for (const character of all) {
      const { fields } = scanned(`X: b${character}c\r\n\r\n`);
      expect(fields.length, JSON.stringify(character)).toBe(isInValue(character) ? 1 : 0);
    }
  });

  it.each([
    ['X-A\r\n\r\n', 'malformed'],
    ['X-A : b\r\n\r\n', 'malformed'],
    [': b\r\n\r\n', 'malformed'],
    [' X-A: b\r\n\r\n', 'folded'],
    ['X-A: b\r\n\tc\r\n\r\n', 'folded'],
    ['X-A: b\n\r\n', 'control-character'],
    ['X-A: b\r\r\n\r\n', 'control-character'],
    ['X-A\n: b\r\n\r\n', 'control-character'],
    ['\n', 'control-character'],
    ['X-A: b', 'control-character'],
    ['X-A', 'control-character'],
    ['', 'control-character'],
  ])('stops at %j: %s', (text, problem) => {
    expect(scanned(text).problem).toBe(problem);
  });

  it('knows the names that mean something here, in any case, from those of their length', () => {
    const names = ['Connection', 'HOST', 'te', 'Proxy-Foo', 'X-Forwarded-Anything', 'eXpect'];
    for (const name of names) {
      scanner.start(`${name}: a\r\n\r\n`, 0);
      scanner.next();
      expect(scanner.interpretedName()).toBe(name.toLowerCase());
    }
    for (const name of ['Accept', 'Cookies', `C${'x'.repeat(41)}`, 'T', 'A-Proxy']) {
      scanner.start(`${name}: a\r\n\r\n`, 0);
      scanner.next();
      expect(scanner.interpretedName()).toBe('');
    }
  });
});
