import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../model/ledger.ts';
import { rawOrigin, statuses, testEdge } from './edge.fixture.ts';

/** What the app sends before it closes; what the client gets of it; how the ledger has it. */
interface Case {
  name: string;
  response: string;
  method?: string;
  version?: string;
  /** The status, and the body as it stands on the wire. */
  client: [number, string] | null;
  outcome: Outcome;
}

const ok = (fields: string, body = '') => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
const passes = (name: string, response: string, body: string, status = 200): Case => ({
  name,
  response,
  client: [status, body],
  outcome: status >= 500 ? 'app-error' : 'ok',
});
const bad = (name: string, response: string, outcome: Outcome = 'lost'): Case => ({
  name,
  response,
  client: [502, ''],
  outcome,
});

const cases: Case[] = [
  passes('a body by length', ok('Content-Length: 5\r\n', 'hello'), 'hello'),
  passes('an empty body', ok('Content-Length: 0\r\n'), ''),
  passes('no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ''),
  passes(
    'a chunked body',
    ok('Transfer-Encoding: chunked\r\n', '5;x\r\nhello\r\n0\r\nX-T: 1\r\n\r\n'),
    '5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  ),
  passes(
    'a body that ends with the connection, in chunks',
    ok('', 'hello'),
    '5\r\nhello\r\n0\r\n\r\n',
  ),
  passes('the same from HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', '5\r\nhello\r\n0\r\n\r\n'),
  {
    ...passes('the same to an HTTP/1.0 client, as it is', ok('', 'hello'), 'hello'),
    version: '1.0',
  },
  {
    ...passes(
      'chunks to an HTTP/1.0 client, without their framing',
      ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
      'hello',
    ),
    version: '1.0',
  },
  {
    ...passes(
      'the answer to HEAD, with the length of what is not there',
      ok('Content-Length: 5\r\n'),
      '',
    ),
    method: 'HEAD',
  },
  {
    ...passes('the answer to HEAD, chunked', ok('Transfer-Encoding: chunked\r\n'), ''),
    method: 'HEAD',
  },
  passes('204', 'HTTP/1.1 204 No Content\r\n\r\n', '', 204),
  passes('204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', '', 204),
  passes('304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '', 304),
  passes("the app's own error", 'HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno', 'no', 500),
  passes("the app's own 503", 'HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno', 'no', 503),
  passes(
    'more than its length, without what is too much',
    ok('Content-Length: 2\r\n', 'okHTTP/1.1 200 OK\r\n\r\n'),
    'ok',
  ),

  bad('garbage', 'what is this\r\n\r\n'),
  bad('garbage without an end', 'what is this'),
  bad('another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'),
  bad('HTTP/2', 'HTTP/2 200 OK\r\n\r\n'),
  bad('a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'),
  bad('a status of 600', 'HTTP/1.1 600 Huh\r\n\r\n'),
  bad(
    'a length and a coding',
    ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  bad('two lengths', ok('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')),
  bad('a length that is no number', ok('Content-Length: five\r\n', 'hello')),
  bad('a negative length', ok('Content-Length: -5\r\n', 'hello')),
  bad('an unknown coding', ok('Transfer-Encoding: gzip\r\n', 'hello')),
  bad('a coding from HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  bad('a folded field', ok('X-A: b\r\n c\r\nContent-Length: 0\r\n')),
  bad('a bare LF', ok('X-A: b\nContent-Length: 0\r\n')),
  bad('NUL in a field', ok('X-A: \0\r\nContent-Length: 0\r\n')),
  bad('a space before the colon', ok('Content-Length : 0\r\n')),
  bad('a head without an end', `${ok('').slice(0, -2)}X-A: ${'a'.repeat(70_000)}`),
  bad('101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
  bad(
    'a chunk size that is none',
    ok('Transfer-Encoding: chunked\r\n', 'five\r\nhello\r\n0\r\n\r\n'),
  ),
  bad('a list of lengths', ok('Content-Length: 5, 5\r\n', 'hello')),
  bad('a length with a plus', ok('Content-Length: +5\r\n', 'hello')),
  bad('a hexadecimal length', ok('Content-Length: 0x5\r\n', 'hello')),
  bad('an empty length', ok('Content-Length:\r\n', 'hello')),
  bad('a length that no number holds', ok(`Content-Length: ${'9'.repeat(40)}\r\n`, 'hello')),
  bad(
    'two codings',
    ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  bad('a coding before chunked', ok('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')),
  bad('identity', ok('Transfer-Encoding: identity\r\nContent-Length: 0\r\n')),
  bad('chunked behind a vertical tab', ok('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')),
  bad('a field without a colon', ok('X-A\r\nContent-Length: 0\r\n')),
  bad('a field without a name', ok(': b\r\nContent-Length: 0\r\n')),
  bad('a bare CR in a value', ok('X-A: b\rc\r\nContent-Length: 0\r\n')),
  bad('a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n'),
  bad('half line ends', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n'),
  bad('a space before the status line', ' HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('an empty line before the status line', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  bad('two spaces before the status', 'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'),
  bad(
    'a coding and a length for 304',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  ),
  ...['+5', '-5', ' 5', '5 ', '0x5', '', '5;', '5; a', '10000000000000005'].map((size) =>
    bad(
      `a chunk of size ${JSON.stringify(size)}`,
      ok('Transfer-Encoding: chunked\r\n', `${size}\r\nhello\r\n0\r\n\r\n`),
    ),
  ),
  bad(
    'a trailer that names a length',
    ok('Transfer-Encoding: chunked\r\n', '0\r\nContent-Length: 5\r\n\r\n'),
  ),
  bad('a folded trailer', ok('Transfer-Encoding: chunked\r\n', '0\r\nX-A: b\r\n c\r\n\r\n')),
  bad('nothing', '', 'cut'),
  bad('half a head', 'HTTP/1.1 200 OK\r\nConte', 'cut'),
  bad('half a status line', 'HTTP/1.', 'cut'),
];

describe('response framing', () => {
  it.each(cases)(
    '$name',
    async ({ response, method = 'POST', version = '1.1', client, outcome }) => {
      const app = await rawOrigin((socket) => socket.end(Buffer.from(response, 'latin1')));
      const edge = await testEdge([{ port: app.port }]);
      const received = await edge.say(`${method} / HTTP/${version}\r\nHost: a\r\n\r\n`);
      if (client !== null) {
        const [status, body] = client;
        expect(statuses(received)).toEqual([status]);
        if (status !== 502) expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe(body);
      }
      expect(edge.outcomes()).toEqual({ [outcome]: 1 });
    },
  );

  it.each(cases)(
    '$name, a byte at a time, without taking the connection back',
    async (testCase) => {
      const { response, method = 'POST', version = '1.1', outcome } = testCase;
      if (response.length > 1_000) return;
      const app = await rawOrigin((socket) => {
        socket.setNoDelay(true);
        for (const byte of Buffer.from(response, 'latin1')) socket.write(Buffer.of(byte));
        socket.end();
      });
      const edge = await testEdge([{ port: app.port }]);
      const received = await edge.say(`${method} / HTTP/${version}\r\nHost: a\r\n\r\n`);
      if (testCase.outcome === 'ok') expect(statuses(received)).toEqual([testCase.client?.[0]]);
      // Chunks that turn out malformed behind a head that has gone out break the response instead.
      expect(edge.outcomes()).toEqual({ [outcome]: 1 });
    },
  );

  const short = ok('Content-Length: 5\r\nX-A: b\r\n', 'hello');
  const offsets = Array.from({ length: short.length + 1 }, (_, offset) => offset);

  it.each(offsets)('tells a response reset after %i bytes from a whole one', async (offset) => {
    const app = await rawOrigin((socket) => {
      socket.write(short.slice(0, offset), () => socket.resetAndDestroy());
    });
    const edge = await testEdge([{ port: app.port }]);
    const received = await edge.say('POST / HTTP/1.1\r\nHost: a\r\n\r\n');
    if (offset === short.length) {
      expect(received.endsWith('hello')).toBe(true);
      expect(edge.outcomes()).toEqual({ ok: 1 });
      return;
    }
    // Behind the head, the client sees the connection end before the length it was told.
    expect(['', ...received.split('\r\n\r\n')].at(-1)).not.toBe('hello');
    expect(edge.outcomes()).toEqual({ cut: 1 });
  });

  it.each([
    ['by its connection', 'HTTP/1.1 200 OK\r\n\r\nhalf'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('resets an HTTP/1.0 client when a response framed %s is cut', async (_, half) => {
    const app = await rawOrigin((socket) => {
      socket.write(half);
    });
    const edge = await testEdge([{ port: app.port }]);
    const client = edge.connect();
    let failed = false;
    client.socket.on('error', () => {
      failed = true;
    });
    client.socket.write('GET / HTTP/1.0\r\n\r\n');
    await client.until(/half$/);
    for (const socket of app.connections) socket.resetAndDestroy();
    await client.closed;
    // An orderly end would say that this was all.
    expect(failed).toBe(true);
    expect(edge.outcomes()).toEqual({ cut: 1 });
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'],
  ])('names no framing in an answer to %s that has no body: %s', async (method, response) => {
    const app = await rawOrigin((socket) => socket.write(response));
    const edge = await testEdge([{ port: app.port }]);
    const request = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
    const received = await edge.say(request + request);
    expect(received).not.toMatch(/transfer-encoding|content-length/i);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });

  it.each(['HEAD', 'GET'])(
    'never takes a body that must not be there for the next answer (%s)',
    async (method) => {
      const status = method === 'HEAD' ? '200 OK' : '304 Not Modified';
      const app = await rawOrigin((socket) => {
        socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\nevil`);
      });
      const edge = await testEdge([{ port: app.port }]);
      const request = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
      expect(await edge.say(request + request)).not.toContain('evil');
      expect(app.connectionCount).toBe(2);
      expect(edge.outcomes()).toEqual({ ok: 2 });
    },
  );

  it('passes on interim responses before the one that counts', async () => {
    const app = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
      socket.end(ok('Content-Length: 0\r\n'));
    });
    const edge = await testEdge([{ port: app.port }]);
    const received = await edge.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(statuses(received)).toEqual([103, 200]);
    expect(received).toContain('Link: </a.css>');
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('never uses a connection again on which the app spoke out of turn', async () => {
    const app = await rawOrigin((socket) => {
      socket.write(
        `${ok('Content-Length: 2\r\n', 'ok')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
      );
    });
    const edge = await testEdge([{ port: app.port }]);
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const received = await edge.say(get + get);
    expect(received).not.toContain('evil');
    expect(app.connectionCount).toBe(2);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });
});
