import { describe, expect, it } from 'vitest';
import { fieldLines, fieldOf, withoutFields } from './field-lines.ts';

const LINES = 'Host: a\r\nVia: 1.1 x\r\nX-A:\t1 \r\nx-a: 2\r\nX-AB: 3\r\n';

describe('header lines', () => {
  it.each([
    ['host', 'a'],
    ['x-a', '1, 2'],
    ['x-ab', '3'],
    ['x', null],
    ['x-a:', null],
    ['a', null],
  ])('have as the value of %s: %s', (name, value) => {
    expect(fieldOf(LINES, name)).toBe(value);
  });

  it('have no value where there is none, and an empty one where a line has nothing behind it', () => {
    expect([fieldOf('', 'a'), fieldOf('A:\r\n', 'a')]).toEqual([null, '']);
  });

  it('are one list of cookies, whose values have commas', () => {
    expect(fieldOf('Cookie: a=1\r\ncookie: b=2,3\r\n', 'cookie')).toBe('a=1; b=2,3');
  });

  it('stay as they are without some of them', () => {
    expect(withoutFields(LINES, new Set(['x-a', 'b']))).toBe(
      'Host: a\r\nVia: 1.1 x\r\nX-AB: 3\r\n',
    );
    expect(withoutFields(LINES, new Set())).toBe(LINES);
  });

  it('are read one by one', () => {
    expect(fieldLines('X-A:\t1 \r\nB:\r\n')).toEqual([
      { name: 'x-a', value: '1', text: 'X-A:\t1 \r\n' },
      { name: 'b', value: '', text: 'B:\r\n' },
    ]);
  });
});
