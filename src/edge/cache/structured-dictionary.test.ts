import { describe, expect, it } from 'vitest';
import { parseDictionary } from './structured-dictionary.ts';

const TRUE = { type: 'boolean', value: true };

describe('a dictionary of Structured Fields (RFC 8941 3.2)', () => {
  it.each([
    ['', {}],
    ['   ', {}],
    ['a', { a: TRUE }],
    [' a, b\t,\tc ', { a: TRUE, b: TRUE, c: TRUE }],
    ['a=?0, b=?1', { a: { type: 'boolean', value: false }, b: TRUE }],
    ['a=1', { a: { type: 'integer', value: 1 } }],
    ['a=-999999999999999', { a: { type: 'integer', value: -999_999_999_999_999 } }],
    ['a=1.5', { a: { type: 'decimal', value: 1.5 } }],
    ['a="b, \\"c\\\\"', { a: { type: 'string', value: 'b, "c\\' } }],
    ['a=B/c:d', { a: { type: 'token', value: 'B/c:d' } }],
    ['a=:YQ==:', { a: { type: 'bytes' } }],
    ['a=(), b=( 1;x "2"  c;y=1 )', { a: { type: 'list' }, b: { type: 'list' } }],
    ['a;x, b=1;x=?0; y="z"', { a: TRUE, b: { type: 'integer', value: 1 } }],
    ['a=1, a', { a: TRUE }],
    ['*a_b-c.d*=1', { '*a_b-c.d*': { type: 'integer', value: 1 } }],
  ])('%j is one', (text, members) => {
    expect(Object.fromEntries(parseDictionary(text) ?? [['is', 'none']])).toEqual(members);
  });

  it.each([
    'A',
    'a b',
    'a,',
    ',a',
    'a,,b',
    'a=',
    'a =1',
    'a= 1',
    'a=1 ;x',
    'a=1;',
    'a=1;X',
    'a=1.',
    'a=.5',
    'a=1.2345',
    'a=1234567890123456',
    'a=1234567890123.1',
    'a=--1',
    'a=1x',
    'a="b',
    'a="\\b"',
    'a="\x7f"',
    "a='b'",
    'a=?2',
    'a=?',
    'a=:*:',
    'a=(1',
    'a=(1,2)',
    'a=(1"2")',
    'max-age=60; s-maxage 5',
    '\ta',
    'a\t',
  ])('%j is none', (text) => {
    expect(parseDictionary(text)).toBeNull();
  });

  it('is read in no time when somebody made it to be slow', () => {
    const began = performance.now();
    for (const piece of ['a;a=1', 'a=(1 ', 'a="\\"', 'a=1;a;', '"', 'a ']) {
      parseDictionary(`${piece.repeat(10_000)}!`);
    }
    expect(performance.now() - began).toBeLessThan(500);
  });
});
