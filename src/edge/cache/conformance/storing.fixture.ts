import {
  app,
  control,
  FRESH,
  kept,
  line,
  type Requirement,
  status,
} from './requirement.fixture.ts';

const AS = 'Authorization: Basic YTpi';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const CUT = { ends: 'cut' } as const;

const statuses = [
  200, 203, 204, 299, 300, 301, 302, 303, 307, 308, 403, 404, 405, 410, 414, 451, 499, 500, 501,
  502, 503, 504, 599,
].map((code) =>
  line(
    `status-${code}`,
    ['9111 3', 'MAY'],
    `a ${code} that says how long it is fresh is kept`,
    app([status(code), FRESH]),
    kept({ status: code }),
  ),
);

const aboutOneRequest = [400, 401, 408, 412, 413, 416, 429, 431].map((code) =>
  line(
    `status-${code}`,
    ['9111 3', 'MAY'],
    `a ${code} is not kept: it is about one request, or one client`,
    app([status(code), FRESH]),
    app(FRESH),
  ),
);

const methods = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'].map((method) =>
  line(
    `method-${method.toLowerCase()}`,
    ['9111 3', 'MUST'],
    `an answer to ${method} is not kept`,
    app(FRESH, { request: `${method} /` }),
    app(FRESH),
  ),
);

/** RFC 9111 section 3, but for parts. */
export const storing: readonly Requirement[] = [
  line(
    'max-age',
    ['9111 3', 'MAY'],
    'an answer with max-age is kept',
    app(FRESH),
    kept({ afterS: 30 }),
  ),
  line(
    's-maxage',
    ['9111 3', 'MAY'],
    'an answer with s-maxage is kept',
    app(control('s-maxage=60')),
    kept(),
  ),
  line(
    'expires',
    ['9111 3', 'MAY'],
    'an answer with Expires is kept',
    app('Expires: {+60}'),
    kept(),
  ),
  line('nothing', ['9111 3', 'MUST'], 'an answer that says nothing is not', app([]), app([])),
  line(
    'public-alone',
    ['9111 3', 'MAY'],
    'nor one that is public, and says no more',
    app(control('public')),
    app([]),
  ),
  ...statuses,
  ...aboutOneRequest,
  line(
    'status-304',
    ['9111 3', 'MUST'],
    'a 304 that nobody asked for is no answer for others',
    app([status(304), FRESH]),
    app(FRESH),
  ),
  line(
    'status-206',
    ['9111 3.3', 'MUST'],
    'a 206 that nobody asked for is no answer for others',
    app([status(206), FRESH, 'Content-Range: bytes 0-7/99']),
    app(FRESH),
  ),
  line(
    'interim',
    ['9110 15.2', 'MUST'],
    'what is not final is told as it comes, and not kept; what follows it is',
    app([{ interim: HINTS }, FRESH], { before: HINTS }),
    kept({ lacks: ['Link'] }),
  ),
  ...methods,
  line(
    'method-head',
    ['9110 9.3.2', 'MUST'],
    'an answer to HEAD is none to GET',
    app(FRESH, { request: 'HEAD /' }),
    app(FRESH),
  ),

  line(
    'no-store',
    ['9111 5.2.2.5', 'MUST'],
    'an answer with no-store is not kept',
    app(control('no-store, max-age=60')),
    app(FRESH),
  ),
  line(
    'no-store-case',
    ['9111 5.2', 'MUST'],
    'directives are read in any case',
    app(control('Max-Age=60, NO-STORE')),
    app(FRESH),
  ),
  line(
    'no-store-lines',
    ['9110 5.3', 'MUST'],
    'lines of one field are one list',
    app([FRESH, control('no-store')]),
    app(FRESH),
  ),
  line(
    'request-no-store',
    ['9111 5.2.1.5', 'MUST'],
    'an answer to a request with no-store is not kept',
    app(FRESH, { sends: [control('no-store')] }),
    app(FRESH),
  ),
  line(
    'private',
    ['9111 5.2.2.7', 'MUST'],
    'an answer that is private is not kept',
    app(control('private, max-age=60')),
    app(FRESH),
  ),
  line(
    'private-unreadable',
    ['9111 5.2.2.7', 'MUST'],
    'an answer is private, however badly that is said',
    app(control('private =x, max-age=60')),
    app(FRESH),
  ),
  line(
    'private-fields',
    ['9111 5.2.2.7', 'MUST'],
    'fields that are private are not kept; the rest may be',
    app([control('max-age=60, private="X-A"'), 'X-A: 1', 'X-B: 2'], { has: ['X-A: 1'] }),
    kept({ lacks: ['X-A'], has: ['X-B: 2'] }),
  ),
  line(
    'no-cache-fields',
    ['9111 5.2.2.4', 'MUST'],
    'fields that have to be asked for are not given from what is kept',
    app([control('max-age=60, no-cache="X-A, X-B"'), 'X-A: 1', 'X-B: 2'], { has: ['X-A: 1'] }),
    kept({ lacks: ['X-A', 'X-B'] }),
  ),
  line(
    'must-understand',
    ['9111 5.2.2.3', 'MAY'],
    'must-understand of a status that is understood stands above no-store',
    app(control('must-understand, no-store, max-age=60')),
    kept(),
  ),
  line(
    'must-understand-not',
    ['9111 5.2.2.3', 'MUST'],
    'must-understand of a status that is not lets nothing be kept',
    app([status(299), control('must-understand, max-age=60')]),
    app(FRESH),
  ),
  line(
    'unknown-directive',
    ['9111 5.2.3', 'MUST'],
    'directives that are not known are passed over',
    app(control('a, b=c, d="e, no-store", max-age=60')),
    kept(),
  ),
  line(
    'set-cookie',
    ['9111 7.3', 'SHOULD'],
    'an answer that sets a cookie is not kept for others',
    app([control('public, max-age=60'), 'Set-Cookie: a=1'], { has: ['Set-Cookie: a=1'] }),
    app(FRESH),
  ),
  line(
    'set-cookie-apart',
    ['9111 5.2.2.4', 'MAY'],
    'an answer is kept without its cookie where it names it',
    app([control('max-age=60, no-cache="Set-Cookie"'), 'Set-Cookie: a=1'], {
      has: ['Set-Cookie: a=1'],
    }),
    kept({ lacks: ['Set-Cookie'] }),
  ),

  line(
    'authorization',
    ['9111 3.5', 'MUST'],
    'an answer to somebody who is known is not for others',
    app(FRESH, { sends: [AS] }),
    app(FRESH),
  ),
  line(
    'authorization-expires',
    ['9111 3.5', 'MUST'],
    'Expires does not make it so',
    app('Expires: {+60}', { sends: [AS] }),
    app(FRESH),
  ),
  line(
    'authorization-himself',
    ['9111 3.5', 'MUST'],
    'nor is it for himself again',
    app(FRESH, { sends: [AS] }),
    app(FRESH, { sends: [AS] }),
  ),
  line(
    'authorization-public',
    ['9111 3.5', 'MAY'],
    'public does',
    app(control('public, max-age=60'), { sends: [AS] }),
    kept(),
  ),
  line(
    'authorization-must-revalidate',
    ['9111 3.5', 'MAY'],
    'must-revalidate does',
    app(control('must-revalidate, max-age=60'), { sends: [AS] }),
    kept(),
  ),
  line(
    'authorization-s-maxage',
    ['9111 3.5', 'MAY'],
    's-maxage does',
    app(control('s-maxage=60'), { sends: [AS] }),
    kept(),
  ),
  line(
    'authorization-reuse',
    ['9111 3.5', 'MAY'],
    'what was said to anybody is said to those who are known',
    app(FRESH),
    kept({ sends: [AS] }),
  ),

  line(
    'cut',
    ['9111 3.3', 'MUST'],
    'what is shorter than its length is not kept as whole',
    app([CUT, FRESH]),
    app(FRESH),
  ),
  line(
    'cut-chunked',
    ['9111 3.3', 'MUST'],
    'what lacks its last chunk is not kept as whole',
    app([{ ends: 'chunked-cut' }, FRESH], { gets: '8\r\nanswer 1\r\n' }),
    app(FRESH),
  ),
  line(
    'chunked',
    ['9111 3', 'MAY'],
    'what came in chunks is kept, and has a length then',
    app([{ ends: 'chunked' }, FRESH]),
    kept({ has: ['Content-Length: 8'], lacks: ['Transfer-Encoding'] }),
  ),
  line(
    'until-close',
    ['9111 3', 'MAY'],
    'what ended with its connection is kept, and has a length then',
    app([{ ends: 'close' }, FRESH]),
    kept({ has: ['Content-Length: 8'] }),
  ),
  line(
    'empty',
    ['9111 3', 'MAY'],
    'an empty answer is kept',
    app([{ body: '' }, FRESH]),
    kept({ has: ['Content-Length: 0'] }),
  ),

  line(
    'fields',
    ['9111 3.1', 'MUST'],
    'fields that nobody knows are kept, in order',
    app([FRESH, 'X-A: 1', 'X-A: 2', 'Content-Type: a/b']),
    kept({ has: ['X-A: 1', 'X-A: 2', 'Content-Type: a/b'] }),
  ),
  line(
    'fields-of-hop',
    ['9111 3.1', 'MUST'],
    'fields that Connection names are not kept, nor it',
    app([FRESH, 'Connection: X-A', 'X-A: 1']),
    kept({ lacks: ['Connection', 'X-A'] }),
  ),
  line(
    'fields-of-proxy',
    ['9111 3.1', 'MUST'],
    'fields between proxies are not kept',
    app([
      FRESH,
      'Proxy-Authenticate: Basic',
      'Proxy-Authentication-Info: a',
      'Keep-Alive: timeout=5',
    ]),
    kept({ lacks: ['Proxy-Authenticate', 'Proxy-Authentication-Info', 'Keep-Alive'] }),
  ),
  line(
    'date-added',
    ['9110 6.6.1', 'MUST'],
    'an answer without Date is kept with that of its coming',
    app([FRESH, 'Date:']),
    kept({ afterS: 30, has: ['Date: {-30}'] }),
  ),
  line(
    'no-transform',
    ['9111 5.2.2.6', 'MUST'],
    'what is kept is given as it came',
    app([control('no-transform, max-age=60'), 'Content-Encoding: gzip']),
    kept({
      has: ['Content-Encoding: gzip', control('no-transform, max-age=60')],
      sends: ['Accept-Encoding: br'],
    }),
  ),
];
