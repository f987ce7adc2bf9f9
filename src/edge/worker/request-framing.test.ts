import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../model/ledger.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { recordingOrigin, statuses, testEdge } from './edge.fixture.ts';

/**
 * What goes in, byte for byte; what the client gets; what an app on Node's own parser sees
 * (`METHOD url body`); how the ledger has it.
 */
interface Case {
  name: string;
  input: string;
  client: number[];
  origin?: string[];
  outcomes: Partial<Record<Outcome, number>>;
}

const H = 'Host: a.localhost\r\n';
const small = {
  limits: { headBytes: 4_096, targetBytes: 512, fields: 20 },
  rule: { admission: { ...DEFAULT_TRAFFIC.admission, requestBodyBytes: 1_000 } },
};

const passes = (name: string, input: string, ...origin: string[]): Case => ({
  name,
  input,
  client: origin.map(() => 200),
  origin,
  outcomes: { ok: origin.length },
});
const refused = (name: string, input: string, status: number): Case => ({
  name,
  input,
  client: [status],
  outcomes: { refused: 1 },
});
/** The connection closes without an answer, because no request ever came. */
const silent = (name: string, input: string): Case => ({ name, input, client: [], outcomes: {} });
const get = (fields: string, target = '/', version = '1.1') =>
  `GET ${target} HTTP/${version}\r\n${fields}\r\n`;
const post = (fields: string, body: string) => `POST /p HTTP/1.1\r\n${H}${fields}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);

const cases: Case[] = [
  passes('a plain GET', get(H), 'GET / '),
  passes('a GET with a query', get(H, '/a?b=c&d=%20'), 'GET /a?b=c&d=%20 '),
  passes(
    'pipelined GETs in order',
    get(H, '/1') + get(H, '/2') + get(H, '/3'),
    'GET /1 ',
    'GET /2 ',
    'GET /3 ',
  ),
  passes('one empty line before a request', `\r\n${get(H)}`, 'GET / '),
  passes('a body by length', post('Content-Length: 5\r\n', 'hello'), 'POST /p hello'),
  passes(
    'a length with white space around it',
    post('Content-Length: \t5 \r\n', 'hello'),
    'POST /p hello',
  ),
  passes(
    'a body by length, then another request',
    post('Content-Length: 2\r\n', 'hi') + get(H, '/n'),
    'POST /p hi',
    'GET /n ',
  ),
  passes('a length of 0', post('Content-Length: 0\r\n', '') + get(H), 'POST /p ', 'GET / '),
  passes('a chunked body', chunked('5\r\nhello\r\n0\r\n\r\n'), 'POST /p hello'),
  passes('several chunks', chunked('2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'), 'POST /p hello'),
  passes(
    'chunk sizes in hexadecimal of either case',
    chunked('A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'),
    'POST /p 01234567890123456789',
  ),
  passes(
    'chunk sizes with leading zeros',
    chunked('0005\r\nhello\r\n000\r\n\r\n'),
    'POST /p hello',
  ),
  passes('chunk extensions', chunked('5;a=b\r\nhello\r\n0;c\r\n\r\n'), 'POST /p hello'),
  passes('trailers', chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'), 'POST /p hello'),
  passes(
    'a chunked body, then another request',
    chunked('2\r\nhi\r\n0\r\n\r\n') + get(H, '/n'),
    'POST /p hi',
    'GET /n ',
  ),
  passes('chunked in any case', post('Transfer-Encoding: CHUNKED\r\n', '0\r\n\r\n'), 'POST /p '),
  passes('field names in any case', 'GET / HTTP/1.1\r\nhOST: a\r\n\r\n', 'GET / '),
  passes('a method this edge has not heard of', `PROPFIND / HTTP/1.1\r\n${H}\r\n`, 'PROPFIND / '),
  passes('a Host with a port', get('Host: a.localhost:8080\r\n'), 'GET / '),
  passes('a Host with a trailing dot', get('Host: a.localhost.\r\n'), 'GET / '),
  passes('an IPv6 Host', get('Host: [::1]:80\r\n'), 'GET / '),
  passes('a field with an empty value', get(`${H}X-Empty:\r\n`), 'GET / '),
  passes('a field with bytes above 127', get(`${H}X-Name: Zo\xeb\r\n`), 'GET / '),
  passes('an absolute target that agrees with Host', get(H, 'http://a.localhost/x?y'), 'GET /x?y '),
  passes('an absolute target without a path', get(H, 'http://a.localhost'), 'GET / '),
  passes('an absolute target with a query only', get(H, 'http://a.localhost?q'), 'GET /?q '),
  passes('HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', 'GET / '),
  passes('HTTP/1.0 with a body', 'POST /p HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi', 'POST /p hi'),
  passes(
    'HTTP/1.0 keep-alive',
    `GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n`,
    'GET /1 ',
    'GET /2 ',
  ),
  {
    ...passes(
      'nothing behind a request that closes',
      `${get(`${H}Connection: close\r\n`)}${get(H, '/2')}`,
      'GET / ',
    ),
  },
  {
    ...passes(
      'nothing behind an HTTP/1.0 request',
      `GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n`,
      'GET /1 ',
    ),
  },
  {
    ...passes(
      'h2c as a plain request',
      get(
        `${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP\r\n`,
      ),
      'GET / ',
    ),
  },
  passes('an upgrade without Connection', get(`${H}Upgrade: websocket\r\n`), 'GET / '),
  {
    name: 'Expect: 100-continue',
    input: post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'hi'),
    client: [100, 200],
    origin: ['POST /p hi'],
    outcomes: { ok: 1 },
  },
  passes(
    'Expect of an HTTP/1.0 client',
    'POST /p HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
    'POST /p hi',
  ),
  {
    name: 'OPTIONS *',
    input: `OPTIONS * HTTP/1.1\r\n${H}\r\n`,
    client: [200],
    outcomes: { fixed: 1 },
  },
  {
    name: 'a good request before a bad one',
    input: `${get(H)}GET / HTTP/1.1\r\n\r\n`,
    client: [200, 400],
    origin: ['GET / '],
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'a bad request between good ones, behind which nothing is read',
    input: `${get(H, '/1')}${get(`${H}X-A : b\r\n`)}${get(H, '/3')}`,
    client: [200, 400],
    origin: ['GET /1 '],
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'a bad chunk between good requests, behind which nothing is read',
    input: `${get(H, '/1')}${chunked('5\r\nhelloX0\r\n\r\n')}${get(H, '/3')}`,
    client: [200, 400],
    origin: ['GET /1 '],
    outcomes: { ok: 1, refused: 1 },
  },
  passes(
    'an upgrade with a body, as a plain request',
    `POST /p HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi`,
    'POST /p hi',
  ),
  passes(
    'an upgrade with a chunked body, as a plain request',
    `POST /p HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    'POST /p hi',
  ),
  passes(
    'an upgrade of an HTTP/1.0 client, as a plain request',
    'GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'GET / ',
  ),

  silent('nothing', ''),
  silent('an empty line only', '\r\n'),
  silent('half a request line', 'GET /'),
  silent('half a head', `GET / HTTP/1.1\r\n${H}`),

  refused(
    'Transfer-Encoding together with Content-Length',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ),
  refused(
    'the same in the other order',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    400,
  ),
  refused(
    'Transfer-Encoding on HTTP/1.0',
    `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ),
  refused('differing lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'), 400),
  refused(
    'the same length twice',
    post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
    400,
  ),
  refused('a list of lengths', post('Content-Length: 5, 5\r\n', 'hello'), 400),
  refused('a length with a plus', post('Content-Length: +5\r\n', 'hello'), 400),
  refused('a length with a minus', post('Content-Length: -5\r\n', 'hello'), 400),
  refused('a length with a space inside', post('Content-Length: 5 5\r\n', 'hello'), 400),
  refused('a hexadecimal length', post('Content-Length: 0x5\r\n', 'hello'), 400),
  refused('a fractional length', post('Content-Length: 5.0\r\n', 'hello'), 400),
  refused('an empty length', post('Content-Length:\r\n', ''), 400),
  refused('a length in other digits', post('Content-Length: \xb2\r\n', ''), 400),
  refused('a length over the limit', post('Content-Length: 1001\r\n', ''), 413),
  refused('a length that no number holds', post(`Content-Length: ${'9'.repeat(40)}\r\n`, ''), 413),
  refused('a folded field', get(`${H}X-A: b\r\n c\r\n`), 400),
  refused('a folded first field', `GET / HTTP/1.1\r\n Host: a\r\n\r\n`, 400),
  refused('a bare CR in a value', get(`${H}X-A: b\rc\r\n`), 400),
  refused('a bare LF in a value', get(`${H}X-A: b\nX-C: d\r\n`), 400),
  refused('line ends of LF only', `GET / HTTP/1.1\nHost: a\n\n`, 400),
  refused('a head that ends with LF LF', `GET / HTTP/1.1\r\n${H}\n`, 400),
  refused('NUL in a value', get(`${H}X-A: b\0c\r\n`), 400),
  refused('NUL in a name', get(`${H}X\0A: b\r\n`), 400),
  refused('a control character in a value', get(`${H}X-A: \x01\r\n`), 400),
  refused('DEL in a value', get(`${H}X-A: \x7f\r\n`), 400),
  refused('a space before the colon', get(`${H}X-A : b\r\n`), 400),
  refused('a space before the colon of a length', post('Content-Length : 5\r\n', 'hello'), 400),
  refused('a tab before the colon', get(`${H}X-A\t: b\r\n`), 400),
  refused('a field without a colon', get(`${H}X-A\r\n`), 400),
  refused('a field without a name', get(`${H}: b\r\n`), 400),
  refused('a field name that is no token', get(`${H}X(A): b\r\n`), 400),
  refused('a field name with bytes above 127', get(`${H}X-\xeb: b\r\n`), 400),
  refused('HTTP/1.1 without Host', get(''), 400),
  refused('two Hosts', get(`${H}${H}`), 400),
  refused('an empty Host', get('Host:\r\n'), 400),
  refused('a Host with user and password', get('Host: a@b\r\n'), 400),
  refused('a Host with a space', get('Host: a b\r\n'), 400),
  refused('a Host with a path', get('Host: a/b\r\n'), 400),
  refused('a Host with two ports', get('Host: a:1:2\r\n'), 400),
  refused('a Host with a port that is no number', get('Host: a:b\r\n'), 400),
  refused('HTTP/0.9', 'GET /\r\n\r\n', 400),
  refused('HTTP/0.9 without an empty line', 'GET /\r\n', 400),
  refused('HTTP/2.0', get(H, '/', '2.0'), 505),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
  refused('HTTP/1.2', get(H, '/', '1.2'), 505),
  refused('a version in lower case', `GET / http/1.1\r\n${H}\r\n`, 400),
  refused('a version with more digits', get(H, '/', '1.10'), 400),
  refused('two spaces before the target', `GET  / HTTP/1.1\r\n${H}\r\n`, 400),
  refused('two spaces before the version', `GET /  HTTP/1.1\r\n${H}\r\n`, 400),
  refused('a space behind the version', `GET / HTTP/1.1 \r\n${H}\r\n`, 400),
  refused('a tab in the request line', `GET\t/ HTTP/1.1\r\n${H}\r\n`, 400),
  refused('a space before the method', ` GET / HTTP/1.1\r\n${H}\r\n`, 400),
  refused('two empty lines before a request', `\r\n\r\n${get(H)}`, 400),
  refused('a method that is no token', `G(T / HTTP/1.1\r\n${H}\r\n`, 400),
  refused('a target that begins with no slash', get(H, 'x'), 400),
  refused('a target with a fragment', get(H, '/a#b'), 400),
  refused('a target with a control character', get(H, '/a\x01b'), 400),
  refused('a target with bytes above 127', get(H, '/\xeb'), 400),
  refused('an absolute target that disagrees with Host', get(H, 'http://b.localhost/'), 400),
  refused('an absolute target of another scheme', get(H, 'ftp://a.localhost/'), 400),
  refused('an absolute target with user and password', get(H, 'http://x@a.localhost/'), 400),
  refused('* for anything but OPTIONS', get(H, '*'), 400),
  refused('CONNECT', `CONNECT a.localhost:443 HTTP/1.1\r\n${H}\r\n`, 405),
  refused('TRACE', `TRACE / HTTP/1.1\r\n${H}\r\n`, 405),
  refused('an unknown transfer coding', post('Transfer-Encoding: gzip\r\n', ''), 501),
  refused('a coding before chunked', post('Transfer-Encoding: gzip, chunked\r\n', ''), 501),
  refused('identity', post('Transfer-Encoding: identity\r\n', ''), 501),
  refused('chunked with a parameter', post('Transfer-Encoding: chunked;a=b\r\n', ''), 501),
  refused('chunked behind a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', ''), 400),
  refused('chunked twice in one line', post('Transfer-Encoding: chunked, chunked\r\n', ''), 400),
  refused(
    'chunked twice in two lines',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', ''),
    400,
  ),
  refused('an empty transfer coding', post('Transfer-Encoding:\r\n', ''), 400),
  refused('an unknown expectation', post('Expect: a-miracle\r\nContent-Length: 0\r\n', ''), 417),
  refused('a target over the limit', get(H, `/${'a'.repeat(600)}`), 414),
  refused('a target over the limit without an end', `GET /${'a'.repeat(700)}`, 414),
  refused('a head over the limit', get(`${H}X-A: ${'a'.repeat(5_000)}\r\n`), 431),
  refused(
    'a head over the limit without an end',
    `GET / HTTP/1.1\r\n${H}X-A: ${'a'.repeat(5_000)}`,
    431,
  ),
  refused('too many fields', get(`${H}${'X-A: b\r\n'.repeat(20)}`), 431),
  refused('garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400),

  refused('a chunk size with a sign', chunked('+5\r\nhello\r\n0\r\n\r\n'), 400),
  refused('a chunk size with a space before', chunked(' 5\r\nhello\r\n0\r\n\r\n'), 400),
  refused('a chunk size with a space behind', chunked('5 \r\nhello\r\n0\r\n\r\n'), 400),
  refused('a chunk size with 0x', chunked('0x5\r\nhello\r\n0\r\n\r\n'), 400),
  refused('an empty chunk size', chunked('\r\nhello\r\n0\r\n\r\n'), 400),
  refused('a chunk size that overflows', chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'), 400),
  refused('a chunk size line that ends with LF', chunked('5\nhello\r\n0\r\n\r\n'), 400),
  refused('chunk data longer than its size', chunked('4\r\nhello\r\n0\r\n\r\n'), 400),
  refused('chunk data that ends with LF', chunked('5\r\nhello\n0\r\n\r\n'), 400),
  refused('a CR inside a chunk extension', chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'), 400),
  refused('an endless chunk extension', chunked(`5;${'a'.repeat(400)}\r\nhello\r\n0\r\n\r\n`), 400),
  refused('a trailer that names a framing field', chunked('0\r\nContent-Length: 5\r\n\r\n'), 400),
  refused('a trailer that names Host', chunked('0\r\nHost: b\r\n\r\n'), 400),
  refused('a folded trailer', chunked('0\r\nX-A: b\r\n c\r\n\r\n'), 400),
  refused('a trailer that is no field', chunked('0\r\nGET / HTTP/1.1\r\n\r\n'), 400),
  refused('chunks over the limit', chunked(`400\r\n${'a'.repeat(1024)}\r\n0\r\n\r\n`), 413),
  {
    name: 'a client that leaves inside a body by length',
    input: post('Content-Length: 9\r\n', 'hi'),
    client: [],
    outcomes: { 'client-aborted': 1 },
  },
  {
    name: 'a client that leaves inside a chunked body',
    input: chunked('5\r\nhel'),
    client: [],
    outcomes: { 'client-aborted': 1 },
  },
];

describe('request framing', () => {
  it.each(cases)('$name', async ({ input, client, origin = [], outcomes }) => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], small);
    const received = await edge.say(Buffer.from(input, 'latin1'));
    expect(statuses(received)).toEqual(client);
    expect(app.seen.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual(origin);
    expect(edge.outcomes()).toEqual(outcomes);
  });

  it.each(cases)('$name, a byte at a time', async ({ input, client, origin = [], outcomes }) => {
    if (input.length > 400) return;
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], small);
    const raw = edge.connect();
    raw.socket.setNoDelay(true);
    for (const byte of Buffer.from(input, 'latin1')) {
      if (raw.socket.destroyed) break;
      raw.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    raw.socket.end();
    expect(statuses(await raw.closed)).toEqual(client);
    expect(app.seen.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual(origin);
    expect(edge.outcomes()).toEqual(outcomes);
  });
});
