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
  silent,
  up,
  upChunked,
} from './request-case.fixture.ts';

/** Raw inputs with bodies, and clients that break them off. */

const EARLY = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno';
const fits = 'a'.repeat(ROW_BODY_BYTES);

const byLength: RequestCase[] = [
  passes(
    'a body by length',
    post('Content-Length: 5\r\n', 'hello'),
    up('POST /p', `${H}Content-Length: 5\r\n`, 'hello'),
  ),
  passes(
    'a length with white space around it',
    post('Content-Length: \t5 \r\n', 'hello'),
    up('POST /p', `${H}Content-Length: \t5 \r\n`, 'hello'),
  ),
  passes(
    'a length with leading zeros, which is decimal all the same',
    post('Content-Length: 0010\r\n', '0123456789'),
    up('POST /p', `${H}Content-Length: 0010\r\n`, '0123456789'),
  ),
  passes(
    'a body by length, then another request',
    post('Content-Length: 2\r\n', 'hi') + get(H, '/n'),
    up('POST /p', `${H}Content-Length: 2\r\n`, 'hi'),
    up('GET /n'),
  ),
  passes(
    'a body that looks like a request',
    post(`Content-Length: ${get(H, '/evil').length}\r\n`, get(H, '/evil')),
    up('POST /p', `${H}Content-Length: ${get(H, '/evil').length}\r\n`, get(H, '/evil')),
  ),
  passes(
    'a body of line ends and NULs',
    post('Content-Length: 8\r\n', '\r\n\r\n\0\0\n\n'),
    up('POST /p', `${H}Content-Length: 8\r\n`, '\r\n\r\n\0\0\n\n'),
  ),
  passes(
    'a length of 0',
    post('Content-Length: 0\r\n', '') + get(H),
    up('POST /p', `${H}Content-Length: 0\r\n`),
    up('GET /'),
  ),
  passes('a POST without a length', post('', '') + get(H), up('POST /p'), up('GET /')),
  passes(
    'a GET with a body',
    `${get(`${H}Content-Length: 2\r\n`)}hi${get(H, '/n')}`,
    up('GET /', `${H}Content-Length: 2\r\n`, 'hi'),
    up('GET /n'),
  ),
  {
    ...passes(
      'a HEAD with a body',
      `HEAD / HTTP/1.1\r\n${H}Content-Length: 2\r\n\r\nhi${get(H, '/n')}`,
      up('HEAD /', `${H}Content-Length: 2\r\n`, 'hi'),
      up('GET /n'),
    ),
    client: [OK_HEAD, OK],
  },
  passes(
    'a body at the limit',
    post(`Content-Length: ${ROW_BODY_BYTES}\r\n`, fits),
    up('POST /p', `${H}Content-Length: ${ROW_BODY_BYTES}\r\n`, fits),
  ),
];

const inChunks: RequestCase[] = [
  passes(
    'a chunked body',
    chunked('5\r\nhello\r\n0\r\n\r\n'),
    upChunked('5\r\nhello\r\n0\r\n\r\n'),
  ),
  passes('an empty chunked body', chunked('0\r\n\r\n'), upChunked('0\r\n\r\n')),
  passes(
    'several chunks',
    chunked('2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'),
    upChunked('2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'),
  ),
  passes(
    'chunk sizes in hexadecimal of either case',
    chunked('A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'),
    upChunked('a\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'),
  ),
  passes(
    'chunk sizes with leading zeros',
    chunked('000000000005\r\nhello\r\n000\r\n\r\n'),
    upChunked('5\r\nhello\r\n0\r\n\r\n'),
  ),
  passes(
    'chunk extensions, which stay here',
    chunked('5;a=b\r\nhello\r\n0;c\r\n\r\n'),
    upChunked('5\r\nhello\r\n0\r\n\r\n'),
  ),
  passes(
    'a chunk extension in quotes, with what would be framing without them',
    chunked('5;a="0;b\\"\xeb";c=d;e\r\nhello\r\n0\r\n\r\n'),
    upChunked('5\r\nhello\r\n0\r\n\r\n'),
  ),
  passes(
    'a chunk extension at the limit',
    chunked(`5;${'a'.repeat(255)}\r\nhello\r\n0\r\n\r\n`),
    upChunked('5\r\nhello\r\n0\r\n\r\n'),
  ),
  passes(
    'chunk data that looks like the last chunk',
    chunked('d\r\n\r\n0\r\n\r\nGET / \r\n0\r\n\r\n'),
    upChunked('d\r\n\r\n0\r\n\r\nGET / \r\n0\r\n\r\n'),
  ),
  passes(
    'trailers, in their order',
    chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-A:\r\nX-Sum: 2\r\n\r\n'),
    upChunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-A:\r\nX-Sum: 2\r\n\r\n'),
  ),
  passes(
    'trailers that only the edge may say, or that CGI would misread, which stay here',
    chunked('0\r\nX-Forwarded-For: 1\r\nX_A: 1\r\nX-B: 2\r\nProxy: 3\r\n\r\n'),
    upChunked('0\r\nX-B: 2\r\n\r\n'),
  ),
  passes(
    'a chunked body, then another request',
    chunked('2\r\nhi\r\n0\r\n\r\n') + get(H, '/n'),
    upChunked('2\r\nhi\r\n0\r\n\r\n'),
    up('GET /n'),
  ),
  passes(
    'chunked in any case',
    post('tRANSFER-eNCODING: \tChunkeD \r\n', '0\r\n\r\n'),
    upChunked('0\r\n\r\n'),
  ),
  passes(
    'a GET with a chunked body',
    `${get(`${H}Transfer-Encoding: chunked\r\n`)}2\r\nhi\r\n0\r\n\r\n`,
    upChunked('2\r\nhi\r\n0\r\n\r\n', H, 'GET /'),
  ),
  passes(
    'chunks at the limit',
    chunked(`3e8\r\n${fits}\r\n0\r\n\r\n`),
    upChunked(`3e8\r\n${fits}\r\n0\r\n\r\n`),
  ),
];

const expecting: RequestCase[] = [
  {
    ...passes(
      'Expect: 100-continue',
      post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'hi'),
      up('POST /p', `${H}Expect: 100-continue\r\nContent-Length: 2\r\n`, 'hi'),
    ),
    client: [CONTINUE, OK],
  },
  {
    ...passes(
      'Expect: 100-continue in other case, with chunks, then another request',
      post('Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n') +
        get(H, '/n'),
      upChunked('2\r\nhi\r\n0\r\n\r\n', `${H}Expect: 100-Continue\r\n`),
      up('GET /n'),
    ),
    client: [CONTINUE, OK, OK],
  },
  {
    ...answered(
      'Expect: 100-continue, and a final answer at once',
      EARLY,
      post('Expect: 100-continue\r\nContent-Length: 2\r\n', ''),
      up('POST /p', `${H}Expect: 100-continue\r\nContent-Length: 2\r\n`),
    ),
    edgeCloses: true,
  },
];

const clientsThatLeave: RequestCase[] = [
  silent('nothing', ''),
  silent('an empty line only', '\r\n'),
  silent('half a request line', 'GET /'),
  silent('half a head', `GET / HTTP/1.1\r\n${H}`),
  {
    ...silent('a client that leaves inside a body by length', post('Content-Length: 9\r\n', 'hi')),
    origin: up('POST /p', `${H}Content-Length: 9\r\n`, 'hi'),
    brokenOff: true,
    outcomes: { 'client-aborted': 1 },
  },
  {
    ...silent('a client that leaves inside a chunk', chunked('5\r\nhel')),
    origin: upChunked('3\r\nhel\r\n'),
    brokenOff: true,
    outcomes: { 'client-aborted': 1 },
  },
  {
    ...silent('a client that leaves before the last chunk', chunked('2\r\nhi\r\n')),
    origin: upChunked('2\r\nhi\r\n'),
    brokenOff: true,
    outcomes: { 'client-aborted': 1 },
  },
  {
    ...silent('a client that leaves inside the trailers', chunked('0\r\nX-A: b\r\n')),
    origin: upChunked(''),
    brokenOff: true,
    outcomes: { 'client-aborted': 1 },
  },
];

export const requestsWithBodies: readonly RequestCase[] = [
  ...byLength,
  ...inChunks,
  ...expecting,
  ...clientsThatLeave,
];
