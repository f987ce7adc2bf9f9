import { describe, expect, it } from 'vitest';
import { CHUNKED, UNTIL_CLOSE } from './body-framing.ts';
import { latin1 } from './latin1.ts';
import { parseResponseHead } from './response-head.ts';
import { ResponseHeadReader } from './response-head-reader.ts';

const head = (fields: string, line = 'HTTP/1.1 200 OK', method = 'GET') =>
  parseResponseHead(`${line}\r\n${fields}\r\n`, method);

describe('a response head', () => {
  it.each([
    ['a length', 'Content-Length: 5\r\n', 'HTTP/1.1 200 OK', 5],
    ['chunks', 'Transfer-Encoding: Chunked\r\n', 'HTTP/1.1 200 OK', CHUNKED],
    ['nothing', '', 'HTTP/1.1 200 OK', UNTIL_CLOSE],
    ['nothing, for 204', '', 'HTTP/1.1 204 No Content', 0],
    ['a length, for 304', 'Content-Length: 5\r\n', 'HTTP/1.1 304 Not Modified', 0],
    ['a length, for 103', 'Content-Length: 5\r\n', 'HTTP/1.1 103 Early Hints', 0],
  ])('with %s delimits its body by it', (_, fields, line, body) => {
    expect(head(fields, line)?.body).toBe(body);
  });

  it('has no body for HEAD, whatever it says of one', () => {
    expect(head('Content-Length: 5\r\n', 'HTTP/1.1 200 OK', 'HEAD')).toMatchObject({
      body: 0,
      fields: 'Content-Length: 5\r\n',
    });
  });

  it.each([
    ['HTTP/1.1 200 OK', 'Content-Length: 0\r\n', true],
    ['HTTP/1.1 200 OK', 'Content-Length: 0\r\nConnection: close\r\n', false],
    ['HTTP/1.0 200 OK', 'Content-Length: 0\r\n', false],
    ['HTTP/1.0 200 OK', 'Content-Length: 0\r\nConnection: Keep-Alive\r\n', true],
    ['HTTP/1.1 200 OK', '', false],
  ])('says whether its connection stays: %s with %j', (line, fields, keepAlive) => {
    expect(head(fields, line)?.keepAlive).toBe(keepAlive);
  });

  it.each([
    ['timeout=5', 5_000],
    ['max=100, Timeout = 7', 7_000],
    ['max=100', null],
    ['timeout=x', null],
  ])('reads how long an app keeps it: %s', (value, keepAliveMs) => {
    expect(head(`Keep-Alive: ${value}\r\n`)?.keepAliveMs).toBe(keepAliveMs);
  });

  it('loses what is of one hop, and nothing else', () => {
    const fields =
      'X-A: 1\r\nConnection: X-B, close\r\nX-B: 2\r\nKeep-Alive: timeout=5\r\nTE: x\r\n' +
      'Proxy-Authenticate: y\r\nUpgrade: z\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a_b=c\r\n';
    expect(head(fields)?.fields).toBe('X-A: 1\r\nSet-Cookie: a_b=c\r\n');
  });

  it.each([
    ['HTTP/1.1 200', '200 '],
    ['HTTP/1.1 200 ', '200 '],
    ['HTTP/1.1 418 I\xb4m a teapot', '418 I\xb4m a teapot'],
  ])('keeps the reason as it came: %j', (line, statusText) => {
    expect(head('', line)?.statusText).toBe(statusText);
  });

  it.each([
    ...[
      'HTTP/1.1 2000 OK',
      'HTTP/1.1 20 OK',
      'HTTP/1.1 099 OK',
      'HTTP/1.1 600 OK',
      'HTTP/2.0 200 OK',
    ],
    ...[
      'http/1.1 200 OK',
      'HTTP/1.1  200 OK',
      'HTTP/1.1 200\tOK',
      'HTTP/1.1 200OK',
      ' HTTP/1.1 200 OK',
    ],
    ...['HTTP/1.1 200 O\0K', 'HTTP/1.1 200 O\x7fK', 'HTTP/1.1 +20 OK', ''],
  ])('is none when its line is %j', (line) => {
    expect(head('', line)).toBeNull();
  });
});

describe('a reader of response heads', () => {
  const two = 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\n\r\nbody';

  it('finds heads wherever they are cut, and where the last one ends', () => {
    for (let cut = 0; cut <= two.length; cut += 1) {
      const reader = new ResponseHeadReader();
      const statuses: number[] = [];
      let left = '';
      for (const piece of [two.slice(0, cut), two.slice(cut)]) {
        if (statuses.includes(200)) {
          left += piece;
          continue;
        }
        reader.add(Buffer.from(piece, 'latin1'));
        for (;;) {
          const next = reader.next('GET', 1_024);
          if (typeof next === 'string') break;
          statuses.push(next.status);
          if (next.status !== 200) continue;
          left += latin1(reader.bytes, reader.position, reader.bytes.length);
          break;
        }
      }
      expect([statuses, left], `${cut}`).toEqual([[103, 200], 'body']);
    }
  });

  it('keeps its own copy of a part, because what it was read into is read into again', () => {
    const reader = new ResponseHeadReader();
    const shared = Buffer.from(two.slice(0, 10), 'latin1');
    reader.add(shared);
    expect(reader.next('GET', 1_024)).toBe('partial');
    shared.fill(0);
    reader.add(Buffer.from(two.slice(10), 'latin1'));
    expect(reader.next('GET', 1_024)).toMatchObject({ status: 103 });
  });

  it.each([
    ['what begins as no response', 'SSH-2'],
    ['what goes on for too long', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(2_000)}`],
    ['what is too long, and all there', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(2_000)}\r\n\r\n`],
  ])('takes %s for malformed', (_, text) => {
    const reader = new ResponseHeadReader();
    reader.add(Buffer.from(text));
    expect(reader.next('GET', 1_024)).toBe('malformed');
  });
});
