import { describe, expect, it } from 'vitest';
import { readResponseFields } from './response-fields.ts';

describe('the fields of a response', () => {
  it('are read, whatever the case of their names', () => {
    const lines =
      'DATE: 1\r\nage: 2\r\nExpires:3\r\nLast-Modified: \t4 \r\nETag: "5"\r\nVary: a\r\n' +
      'Cache-Control: public\r\nCDN-Cache-Control: max-age=1\r\nContent-Range: bytes 0-0/1\r\n' +
      'Content-Encoding: gzip\r\nContent-Location: /6\r\nLocation: /7\r\nCache-Tag: b\r\n' +
      'Set-Cookie: c=1\r\nX-Other: d\r\n';
    expect(readResponseFields(lines)).toEqual({
      date: '1',
      age: '2',
      expires: '3',
      lastModified: '4',
      etag: '"5"',
      vary: 'a',
      cacheControl: 'public',
      cdnCacheControl: 'max-age=1',
      contentRange: 'bytes 0-0/1',
      contentEncoding: 'gzip',
      contentLocation: '/6',
      location: '/7',
      cacheTag: 'b',
      setsCookie: true,
    });
  });

  it('are lists where they are repeated, and the first where there can be one', () => {
    const lines =
      'Cache-Control: public\r\nVary: a\r\ncache-control: max-age=1\r\nVary: b\r\n' +
      'Expires: 1\r\nExpires: 2\r\nAge: 1\r\nAge: 2\r\n';
    expect(readResponseFields(lines)).toMatchObject({
      cacheControl: 'public, max-age=1',
      vary: 'a, b',
      expires: '1',
      age: '1, 2',
    });
  });

  it('are none of what every object has', () => {
    expect(readResponseFields('Constructor: 1\r\n__proto__: 2\r\n')).toEqual(
      readResponseFields(''),
    );
  });
});
