import { describe, expect, it } from 'vitest';
import { fieldOf } from '../http/field-lines.ts';
import { normalEncoding, variantKey, varyNames } from './variant.ts';

describe('Vary (RFC 9110 12.5.5)', () => {
  it.each([
    [null, []],
    ['', []],
    ['Accept', ['accept']],
    ['B, a,A ,, b', ['a', 'b']],
    ['*', ['*']],
  ])('%j names %j', (vary, names) => {
    expect(varyNames(vary)).toEqual(names);
  });
});

describe('a variant (RFC 9111 4.1)', () => {
  const key = (fields: string, ...names: string[]) =>
    variantKey(names, (name) => fieldOf(fields, name));

  it.each([
    ['A: 1\r\n', 'A: 1\r\n', true, 'what is said alike'],
    ['A: 1\r\nC: 1\r\n', 'A: 1\r\n', true, 'what differs in other fields'],
    ['', '', true, 'what both do not say'],
    ['A: 1\r\n', 'A: 2\r\n', false, 'what differs'],
    ['A: 1\r\n', '', false, 'what only one says'],
    ['A:\r\n', '', false, 'what only one says, though it says nothing'],
    ['A: x\r\n', 'A: X\r\n', false, 'what differs in its case'],
    ['A: 1,2\r\n', 'A: 1 , 2\r\n', true, 'what differs in white space'],
    ['A: 1\r\nA: 2\r\n', 'A: 1, 2\r\n', true, 'what differs in lines'],
    ['A: 1, 2\r\n', 'A: 2, 1\r\n', false, 'what differs in order'],
    ['A: 1\r\nB: 2\r\n', 'A: 1\r\nB: 3\r\n', false, 'what differs in one of several'],
    ['A: 1\r\n', 'B: 1\r\n', false, 'what another field says'],
    [
      'Accept-Encoding: gzip\r\n',
      'Accept-Encoding: br\r\n',
      true,
      'codings where they do not count',
    ],
  ])('%j and %j are the same: %s (%s)', (one, other, expected) => {
    expect(key(one, 'a', 'b') === key(other, 'a', 'b')).toBe(expected);
  });

  it('is told by the codings that are accepted, where they count', () => {
    const [one, other] = ['gzip, br', 'br;q=1.0,gzip;q=0.5'];
    expect(key(`Accept-Encoding: ${one}\r\n`, 'accept-encoding')).toBe(
      key(`Accept-Encoding: ${other}\r\n`, 'accept-encoding'),
    );
  });
});

describe('Accept-Encoding (RFC 9110 12.5.3)', () => {
  it.each([
    ['', ''],
    ['identity', ''],
    ['gzip, deflate, br, zstd', 'br,deflate,gzip,zstd'],
    ['zstd;q=0.1,BR , gzip', 'br,gzip,zstd'],
    ['gzip, made-up-1, "', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip;q=0', ''],
    ['gzip; q=0.000, br', 'br'],
    ['gzip;q=0.001', 'gzip'],
    ['*', 'br,compress,deflate,gzip,zstd'],
    ['*;q=0', ''],
    ['*, gzip;q=0', 'br,compress,deflate,zstd'],
    ['identity;q=0, gzip', 'gzip,identity;q=0'],
    ['gzip, gzip', 'gzip'],
  ])('%j accepts %j', (value, accepted) => {
    expect(normalEncoding(value)).toBe(accepted);
  });
});
