import { describe, expect, it } from 'vitest';
import { freshened, isAbout, isStillOf } from './freshening.ts';
import { readResponseFields } from './response-fields.ts';

describe('the lines of a kept response after a 304', () => {
  it('are those of the 304 where it has them, and else stay (RFC 9111 3.2)', () => {
    const kept = 'Cache-Control: max-age=1\r\nX-A: 1\r\nX-A: 2\r\nX-B: 3\r\n';
    const received = 'cache-control: max-age=9\r\nX-A: 4\r\nX-C: 5\r\nX-C: 6\r\n';
    expect(freshened(kept, received)).toBe(
      'X-B: 3\r\ncache-control: max-age=9\r\nX-A: 4\r\nX-C: 5\r\nX-C: 6\r\n',
    );
  });

  it.each([
    'Content-Length',
    'Content-Encoding',
    'Content-Range',
    'Content-MD5',
    'Content-Digest',
    'ETag',
    'Transfer-Encoding',
  ])('keep what tells of the body that is kept: %s (3.2)', (name) => {
    expect(freshened(`${name}: 1\r\n`, `${name}: 2\r\n`)).toBe(`${name}: 1\r\n`);
    expect(freshened('', `${name}: 2\r\n`)).toBe('');
  });

  it('have no old Date, which would make it old again', () => {
    expect(freshened('Date: old\r\nX-A: 1\r\n', '')).toBe('X-A: 1\r\n');
    expect(freshened('Date: old\r\n', 'Date: new\r\n')).toBe('Date: new\r\n');
  });
});

const STRONG = { etag: '"a"', lastModified: 'then' };
const WEAK = { etag: 'W/"a"', lastModified: 'then' };
const DATED = { etag: null, lastModified: 'then' };
const NONE = { etag: null, lastModified: null };

describe('a 304 (RFC 9111 4.3.4)', () => {
  it.each([
    [STRONG, 'ETag: "a"\r\n', true],
    [STRONG, 'ETag: "b"\r\n', false],
    [STRONG, 'ETag: "a"\r\nLast-Modified: later\r\n', true],
    [STRONG, 'ETag: W/"a"\r\n', true],
    [WEAK, 'ETag: W/"a"\r\n', true],
    [WEAK, 'ETag: W/"b"\r\n', false],
    [WEAK, 'ETag: "a"\r\n', false],
    [DATED, 'ETag: "a"\r\n', false],
    [DATED, 'Last-Modified: then\r\n', true],
    [DATED, 'Last-Modified: later\r\n', false],
    [NONE, 'Last-Modified: later\r\n', false],
    [STRONG, '', true],
    [NONE, '', true],
  ])('is about what is kept, %o, when it says %j: %s', (kept, lines, expected) => {
    expect(isAbout(kept, readResponseFields(lines))).toBe(expected);
  });
});

describe('an answer to a HEAD (RFC 9111 4.3.5)', () => {
  it.each([
    ['', 5, true],
    ['', null, true],
    ['', 6, false],
    ['ETag: "a"\r\nLast-Modified: then\r\n', 5, true],
    ['ETag: "b"\r\n', 5, false],
    ['ETag: W/"a"\r\n', 5, false],
    ['Last-Modified: later\r\n', 5, false],
  ])('is of the body that is kept when it says %j and a length of %s: %s', (lines, length, is) => {
    expect(isStillOf({ ...STRONG, bodyBytes: 5 }, readResponseFields(lines), length)).toBe(is);
  });
});
