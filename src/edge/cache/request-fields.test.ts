import { describe, expect, it } from 'vitest';
import { readRequestFields } from './request-fields.ts';

const FEW = 'Host: shop.localhost\r\nUser-Agent: a\r\nAccept: */*\r\n';

describe('the fields of a request', () => {
  it.each([
    ['', 'none'],
    [FEW, 'the usual ones of a program'],
    [`${FEW}Accept-Encoding: gzip\r\nCookie: a=1\r\n`, 'the usual ones of a browser'],
    ['Accept-Language: en\r\nPriority: u=1\r\nReferer: http://a/\r\nX-Api-Key: 1\r\n', 'others'],
    ['If-Nothing: 1\r\nCookies: a\r\nA: range: 1\r\nC: 1\r\ncookie\r\n', 'names that look like it'],
    ['X-Forwarded-Hosts: b\r\nX-Origin: b\r\n', 'more of these'],
  ])('say nothing to a cache: %j (%s)', (fields) => {
    expect(readRequestFields(fields)).toBeNull();
  });

  it('are read, whatever the case of their names', () => {
    const fields =
      `${FEW}RANGE: bytes=0-1\r\nIf-Range: "a"\r\nif-match: "b"\r\nIf-None-Match: "c"\r\n` +
      'If-Modified-Since: d\r\nIF-UNMODIFIED-SINCE: e\r\nAuthorization: Basic f\r\n';
    expect(readRequestFields(fields)).toEqual({
      cacheControl: null,
      range: 'bytes=0-1',
      ifRange: '"a"',
      ifMatch: '"b"',
      ifNoneMatch: '"c"',
      ifModifiedSince: 'd',
      ifUnmodifiedSince: 'e',
      hasAuthorization: true,
      overridesMethod: false,
      overridesAddress: false,
    });
  });

  it('are lists where they are repeated, so that what may stand only once is no valid value', () => {
    const fields =
      'If-None-Match: "a"\r\nIf-None-Match: "b"\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n';
    expect(readRequestFields(fields)).toMatchObject({
      ifNoneMatch: '"a", "b"',
      range: 'bytes=0-1, bytes=2-3',
    });
  });

  it.each([
    ['Cache-Control: max-age=0\r\n', { maxAgeS: 0, noCache: false }],
    ['Cache-Control: max-age=9\r\nCache-Control: no-cache\r\n', { maxAgeS: 9, noCache: true }],
    ['Pragma: no-cache\r\n', { noCache: true }],
    ['Pragma: a, No-Cache\r\n', { noCache: true }],
    ['Pragma: no-cache\r\nCache-Control: max-age=9\r\n', { maxAgeS: 9, noCache: false }],
    ['Cache-Control: max-age=9\r\nPragma: no-cache\r\n', { maxAgeS: 9, noCache: false }],
  ])('say what is wanted of a cache (5.2.1, 5.4): %j', (fields, control) => {
    expect(readRequestFields(fields)?.cacheControl).toMatchObject(control);
  });

  it('have no other Pragma', () => {
    expect(readRequestFields('Pragma: x-no-cache\r\n')?.cacheControl).toBeNull();
  });

  it.each(['X-HTTP-Method-Override', 'x-method-override', 'X-Http-Method'])(
    'can make it one of another method: %s',
    (name) => {
      const read = readRequestFields(`${FEW}${name}: DELETE\r\n`);
      expect(read).toMatchObject({ overridesMethod: true, overridesAddress: false });
    },
  );

  it.each(['X-Original-URL', 'x-rewrite-url', 'X-Host', 'X-HTTP-Host-Override', 'X-Original-URI'])(
    'can make it one of another address: %s',
    (name) => {
      const read = readRequestFields(`${name}: /admin\r\n${FEW}`);
      expect(read).toMatchObject({ overridesMethod: false, overridesAddress: true });
    },
  );
});
