import { refusals } from '../http/refusal.ts';
import {
  answered,
  CONTINUE,
  chunked,
  get,
  H,
  OK,
  OK_HEAD,
  passes,
  post,
  type RequestCase,
  ROW_BODY_BYTES,
  ROW_LIMITS,
  up,
  upChunked,
} from './request-case.fixture.ts';
import { EDGE } from './witness.fixture.ts';

/** Raw inputs of which the edge takes at least the first request; more are with the bodies. */

const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';
const EARLY = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
const ABOUT_THE_EDGE =
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n' +
  'Content-Length: 22\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n\r\n' +
  'This is a Belay edge.\n';
const WEBSOCKET = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

const plain: RequestCase[] = [
  passes('a plain GET', get(H), up('GET /')),
  passes('a GET with a query', get(H, '/a?b=c&d=%20'), up('GET /a?b=c&d=%20')),
  passes('a target of odd but visible characters', get(H, '/"<>\\^`{|}'), up('GET /"<>\\^`{|}')),
  passes('a target with an encoded line end', get(H, '/%0d%0aX:'), up('GET /%0d%0aX:')),
  passes('a target of two slashes', get(H, '//b.localhost/'), up('GET //b.localhost/')),
  passes(
    'a target at the limit',
    get(H, `/${'a'.repeat(ROW_LIMITS.targetBytes - 1)}`),
    up(`GET /${'a'.repeat(ROW_LIMITS.targetBytes - 1)}`),
  ),
  passes(
    'fields at the limit',
    get(`${H}${'X-A: b\r\n'.repeat(ROW_LIMITS.fields - 1)}`),
    up('GET /', `${H}${'X-A: b\r\n'.repeat(ROW_LIMITS.fields - 1)}`),
  ),
  passes(
    'pipelined GETs in order',
    get(H, '/1') + get(H, '/2') + get(H, '/3'),
    up('GET /1'),
    up('GET /2'),
    up('GET /3'),
  ),
  {
    ...passes(
      'pipelined requests of all sorts, answered in order',
      `HEAD /1 HTTP/1.1\r\n${H}\r\n${post('Content-Length: 2\r\n', 'hi')}${get(H, '/3')}`,
      up('HEAD /1'),
      up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
      up('GET /3'),
    ),
    client: [OK_HEAD, OK, OK],
  },
  passes('one empty line before a request', `\r\n${get(H)}`, up('GET /')),
  passes(
    'an empty line behind a body',
    `${post('Content-Length: 2\r\n', 'hi')}\r\n${get(H, '/n')}`,
    up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
    up('GET /n'),
  ),
  passes(
    'field names in any case',
    'GET / HTTP/1.1\r\nhOST: a\r\n\r\n',
    up('GET /', 'hOST: a\r\n'),
  ),
  passes(
    'a method this edge has not heard of',
    `PROPFIND / HTTP/1.1\r\n${H}\r\n`,
    up('PROPFIND /'),
  ),
  answered('a method nobody has heard of', EMPTY, `X!-1 / HTTP/1.1\r\n${H}\r\n`, up('X!-1 /')),
  answered(
    'a method in lower case, which is another',
    EMPTY,
    `get / HTTP/1.1\r\n${H}\r\n`,
    up('get /'),
  ),
  passes('OPTIONS of a path', `OPTIONS /a HTTP/1.1\r\n${H}\r\n`, up('OPTIONS /a')),
  passes('a Host with a port', get('Host: a:8080\r\n'), up('GET /', 'Host: a:8080\r\n')),
  passes('a Host with an empty port', get('Host: a:\r\n'), up('GET /', 'Host: a:\r\n')),
  passes('a Host with a trailing dot', get('Host: a.b.\r\n'), up('GET /', 'Host: a.b.\r\n')),
  passes('a Host with an underscore', get('Host: a_b\r\n'), up('GET /', 'Host: a_b\r\n')),
  passes('an IPv6 Host', get('Host: [::1]:80\r\n'), up('GET /', 'Host: [::1]:80\r\n')),
  passes('a field with an empty value', get(`${H}X-A:\r\n`), up('GET /', `${H}X-A:\r\n`)),
  passes(
    'a field with bytes above 127',
    get(`${H}X-A: \xeb\r\n`),
    up('GET /', `${H}X-A: \xeb\r\n`),
  ),
  passes('a field with tabs', get(`${H}X-A:\tb\tc\t\r\n`), up('GET /', `${H}X-A:\tb\tc\t\r\n`)),
  passes(
    'a field name of every character a token may have',
    get(`${H}!#$%&'*+-.^\`|~09azAZ: b\r\n`),
    up('GET /', `${H}!#$%&'*+-.^\`|~09azAZ: b\r\n`),
  ),
  passes(
    'repeated fields, in their order',
    get(`X-A: 1\r\n${H}X-A: 2\r\nx-a: 3\r\n`),
    up('GET /', `X-A: 1\r\n${H}X-A: 2\r\nx-a: 3\r\n`),
  ),
];

const targets: RequestCase[] = [
  passes(
    'an absolute target that agrees with Host',
    get(H, 'http://a.localhost/x?y'),
    up('GET /x?y'),
  ),
  passes('an absolute target without a path', get(H, 'http://a.localhost'), up('GET /')),
  passes('an absolute target with a query only', get(H, 'http://a.localhost?q'), up('GET /?q')),
  passes('an absolute target in other case', get(H, 'HTTP://A.Localhost/X'), up('GET /X')),
  passes('an absolute target of https', get(H, 'https://a.localhost/x'), up('GET /x')),
  passes(
    'an absolute target with a port that Host has too',
    get('Host: a:80\r\n', 'http://a:80/x'),
    up('GET /x', 'Host: a:80\r\n'),
  ),
  passes(
    'an absolute target of an HTTP/1.0 client without Host',
    'GET http://a.localhost/x HTTP/1.0\r\nX-A: b\r\n\r\n',
    up('GET /x', `${H}X-A: b\r\n`),
  ),
];

const aboutTheEdge: RequestCase[] = [
  {
    name: 'OPTIONS *, which the edge answers itself',
    input: `OPTIONS * HTTP/1.1\r\n${H}\r\n${get(H)}`,
    client: [ABOUT_THE_EDGE, OK],
    origin: up('GET /'),
    outcomes: { fixed: 1, ok: 1 },
  },
  {
    name: 'OPTIONS of an absolute target without a path, which is OPTIONS *',
    input: `OPTIONS http://a.localhost HTTP/1.1\r\n${H}\r\n`,
    client: [ABOUT_THE_EDGE],
    origin: '',
    outcomes: { fixed: 1 },
  },
  {
    name: 'OPTIONS * with a body, behind which nothing is read',
    input: `OPTIONS * HTTP/1.1\r\n${H}Content-Length: 20\r\n\r\n${get(H)}`,
    client: [ABOUT_THE_EDGE],
    origin: '',
    edgeCloses: true,
    outcomes: { fixed: 1 },
  },
];

const oneHop: RequestCase[] = [
  passes(
    'fields that Connection names, which stay here',
    get(`${H}X-A: 1\r\nConnection: keep-alive, x-a\r\nX-B: 2\r\nConnection: X-C\r\nX-C: 3\r\n`),
    up('GET /', `${H}X-B: 2\r\n`),
  ),
  passes(
    'Connection naming Host and Content-Length, which travel all the same',
    post('Connection: host, content-length\r\nContent-Length: 2\r\n', 'hi'),
    up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
  ),
  passes(
    'Connection naming Transfer-Encoding, which frames all the same',
    post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'),
    upChunked('2\r\nhi\r\n0\r\n\r\n'),
  ),
  passes(
    'fields of one hop, which stay here',
    get(`${H}TE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy: y\r\nX-A: b\r\n`),
    up('GET /', `${H}X-A: b\r\n`),
  ),
  passes(
    'names with underscores, which stay here and frame nothing',
    get(`${H}Content_Length: 5\r\nTransfer_Encoding: chunked\r\nX_A: b\r\n`) + get(H, '/n'),
    up('GET /'),
    up('GET /n'),
  ),
  passes(
    'fields that only the edge may say, which are replaced',
    get(
      `${H}X-Forwarded-For: 1.2.3.4\r\nx-forwarded-new: 1\r\nFORWARDED: for=x\r\nX-Request-ID: 7\r\n`,
    ),
    up('GET /'),
  ),
  passes(
    'traceparent, which is passed on',
    get(`${H}traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n`),
    up('GET /', `${H}traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n`),
  ),
  passes(
    'nothing behind a request that closes',
    get(`${H}Connection: close\r\n`) + get(H, '/2'),
    up('GET /'),
  ),
  passes(
    'nothing behind a request that both closes and stays',
    get(`${H}Connection: keep-alive\r\nConnection: x, Close\r\n`) + get(H, '/2'),
    up('GET /'),
  ),
  passes(
    'an upgrade that the app does not take, and what is pipelined behind it',
    get(`${H}${WEBSOCKET}`) + get(H, '/n'),
    `GET / HTTP/1.1\r\n${H}${EDGE}${WEBSOCKET}\r\n`,
    up('GET /n'),
  ),
  passes('an upgrade without Connection', get(`${H}Upgrade: websocket\r\n`), up('GET /')),
  passes('Connection: Upgrade without an upgrade', get(`${H}Connection: Upgrade\r\n`), up('GET /')),
  passes(
    'h2c as a plain request',
    get(`${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n`),
    up('GET /'),
  ),
  passes(
    'h2c in a list, as a plain request',
    get(`${H}Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n`),
    up('GET /'),
  ),
  passes(
    'an upgrade with a body, as a plain request',
    post(`${WEBSOCKET}Content-Length: 2\r\n`, 'hi'),
    up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
  ),
  passes(
    'an upgrade with a chunked body, as a plain request',
    post(`${WEBSOCKET}Transfer-Encoding: chunked\r\n`, '2\r\nhi\r\n0\r\n\r\n'),
    upChunked('2\r\nhi\r\n0\r\n\r\n'),
  ),
];

const oldClients: RequestCase[] = [
  passes('HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', up('GET /', 'Host: <target>\r\n')),
  passes('HTTP/1.0 with Host', `GET / HTTP/1.0\r\n${H}\r\n`, up('GET /')),
  passes(
    'HTTP/1.0 with a body',
    `POST /p HTTP/1.0\r\n${H}Content-Length: 2\r\n\r\nhi`,
    up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
  ),
  passes(
    'HTTP/1.0 keep-alive',
    `GET /1 HTTP/1.0\r\n${H}Connection: Keep-Alive\r\n\r\nGET /2 HTTP/1.0\r\n${H}\r\n`,
    up('GET /1'),
    up('GET /2'),
  ),
  passes(
    'nothing behind an HTTP/1.0 request',
    `GET /1 HTTP/1.0\r\n${H}\r\nGET /2 HTTP/1.0\r\n${H}\r\n`,
    up('GET /1'),
  ),
  passes(
    'an upgrade of an HTTP/1.0 client, as a plain request',
    `GET / HTTP/1.0\r\n${H}${WEBSOCKET}\r\n`,
    up('GET /'),
  ),
  passes(
    'Expect of an HTTP/1.0 client, which stays here',
    `POST /p HTTP/1.0\r\n${H}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
    up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
  ),
  {
    ...answered(
      '1xx, which an HTTP/1.0 client does not get',
      HINTS + EMPTY,
      `GET / HTTP/1.0\r\n${H}\r\n`,
      up('GET /'),
    ),
    client: [EMPTY],
  },
];

const answersOfNote: RequestCase[] = [
  {
    ...answered(
      'an early answer to a large upload, behind which nothing is read',
      EARLY,
      post(`Content-Length: ${ROW_BODY_BYTES}\r\n`, ''),
      up('POST /p', `${H}Content-Length: ${ROW_BODY_BYTES}\r\n`),
    ),
    edgeCloses: true,
  },
  {
    ...answered('an early answer to a large chunked upload', EARLY, chunked(''), upChunked('')),
    edgeCloses: true,
  },
  {
    ...answered(
      "the app's own error, early",
      'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n',
      post('Content-Length: 9\r\n', ''),
      up('POST /p', `${H}Content-Length: 9\r\n`),
    ),
    edgeCloses: true,
    outcomes: { 'app-error': 1 },
  },
  answered(
    '1xx, then the answer',
    HINTS + CONTINUE + EMPTY,
    get(H) + get(H, '/n'),
    up('GET /'),
    up('GET /n'),
  ),
  answered(
    '204, then another request',
    NO_CONTENT,
    get(H) + get(H, '/n'),
    up('GET /'),
    up('GET /n'),
  ),
  answered(
    '304 that tells a length, then another request',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n',
    get(H) + get(H, '/n'),
    up('GET /'),
    up('GET /n'),
  ),
  answered(
    'HEAD answered with a length, then another request',
    'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n',
    `HEAD / HTTP/1.1\r\n${H}\r\nHEAD /n HTTP/1.1\r\n${H}\r\n`,
    up('HEAD /'),
    up('HEAD /n'),
  ),
  answered(
    'chunks with trailers, then another request',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
    get(H) + get(H, '/n'),
    up('GET /'),
    up('GET /n'),
  ),
];

const goodAndBad: RequestCase[] = [
  {
    name: 'a good request before a bad one',
    input: `${get(H)}GET / HTTP/1.1\r\n\r\n`,
    client: [OK, refusals.noHost],
    origin: up('GET /'),
    edgeCloses: true,
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'a bad request between good ones, behind which nothing is read',
    input: `${get(H, '/1')}${get(`${H}X-A : b\r\n`)}${get(H, '/3')}`,
    client: [OK, refusals.malformedField],
    origin: up('GET /1'),
    edgeCloses: true,
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'a bad chunk between good requests, behind which nothing is read',
    input: `${get(H, '/1')}${chunked('5\r\nhelloX0\r\n\r\n')}${get(H, '/3')}`,
    client: [OK, refusals.badChunk],
    origin: up('GET /1') + upChunked('5\r\nhello\r\n'),
    brokenOff: true,
    edgeCloses: true,
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'two empty lines behind a good request',
    input: `${get(H)}\r\n\r\n${get(H)}`,
    client: [OK, refusals.malformedLine],
    origin: up('GET /'),
    edgeCloses: true,
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'a body longer than its length, the rest of which is no request',
    input: post('Content-Length: 2\r\n', 'hi there\r\n\r\n'),
    client: [OK, refusals.malformedLine],
    origin: up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
    edgeCloses: true,
    outcomes: { ok: 1, refused: 1 },
  },
  {
    name: 'a body by length, with the end of a chunked one behind it',
    input: post('Content-Length: 2\r\n', 'hi0\r\n\r\n'),
    client: [OK, refusals.malformedLine],
    origin: up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
    edgeCloses: true,
    outcomes: { ok: 1, refused: 1 },
  },
];

export const acceptedRequests: readonly RequestCase[] = [
  ...plain,
  ...targets,
  ...aboutTheEdge,
  ...oneHop,
  ...oldClients,
  ...answersOfNote,
  ...goodAndBad,
];
