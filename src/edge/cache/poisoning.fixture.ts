import type { CacheRule } from '../../model/cache.ts';

/**
 * What strangers send to make a cache keep, for everybody, an answer that was made for them. The app
 * behind it believes everything it is told, and writes it into what it answers.
 */

/**
 * What makes an attack harmless.
 *
 * not-told    it does not reach the app
 * passed-by   the app's answer to it is nobody else's
 * kept-apart  the answer is kept, for those alone who ask the same way
 * refused     the edge does not take the request
 */
export type Safety = 'not-told' | 'passed-by' | 'kept-apart' | 'refused';

export interface Attack {
  name: string;
  /** The request. */
  sends: string;
  safe: Safety;
  /** Beside what every path of the app is kept by: for a minute. */
  rule?: Partial<CacheRule>;
  /** What everybody else asks for. */
  target?: string;
}

const HOST = 'shop.example';
export const PLAIN = '/page';

/** What an ordinary client sends. */
export const request = (target: string, lines = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${lines}\r\n`;

const line = (field: string): string => request(PLAIN, `${field}\r\n`);
const raw = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

const CAMPAIGN = { query: { mode: 'except' as const, names: ['utm_source', 'utm_*'] } };
const PAGE_ONLY = { query: { mode: 'only' as const, names: ['page'] } };

/** Fields by which proxies tell apps of the client: only the edge says these. */
const forwarded: Attack[] = [
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: evil',
  'X-Forwarded-Scheme: nothttps',
  'X-Forwarded-Ssl: off',
  'X-Forwarded-For: 203.0.113.66',
  'X-Forwarded-Port: 666',
  'X-Forwarded-Prefix: //evil.example',
  'X-Forwarded-Path: /evil',
  'X-Forwarded-Server: evil.example',
  'X-Forwarded-Method: POST',
  'Forwarded: for=203.0.113.66;host=evil.example;proto=evil',
  'X_Forwarded_Host: evil.example',
  'Proxy: http://evil.example',
].map((field) => ({ name: field, sends: line(field), safe: 'not-told' }));

/** Fields by which frameworks let a client change the method, or the address. */
const overrides: Attack[] = [
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'X-Method-Override: HEAD',
  'x-http-method-override: post',
  'X-Original-URL: /evil',
  'X-Rewrite-URL: /evil',
  'X-Original-Host: evil.example',
  'X-Host: evil.example',
  'X-HTTP-Host-Override: evil.example',
  'X-HTTP-DestinationURL: http://evil.example',
].map((field) => ({ name: field, sends: line(field), safe: 'passed-by' }));

/** A field that the app is to have is called one of this hop; or one that the edge writes. */
const hopByHop: Attack[] = [
  'X-Forwarded-Host',
  'X-Forwarded-For, X-Forwarded-Proto',
  'Host',
  'Content-Length',
  'X-Request-Id',
  'close, Cookie',
].map((named) => ({
  name: `Connection: ${named}`,
  sends: line(`Connection: ${named}`),
  safe: 'not-told',
}));

const bodies: Attack[] = [
  {
    name: 'a GET with a body',
    sends: `${request(PLAIN, 'Content-Length: 9\r\n')}page=evil`,
    safe: 'passed-by',
  },
  {
    name: 'a GET with a form for a body, in chunks',
    sends: `${request(PLAIN, 'Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n')}9\r\npage=evil\r\n0\r\n\r\n`,
    safe: 'passed-by',
  },
  {
    name: 'a GET with a body and two lengths',
    sends: `${request(PLAIN, 'Content-Length: 9\r\nContent-Length: 0\r\n')}page=evil`,
    safe: 'refused',
  },
  {
    name: 'a GET with a length and chunks',
    sends: `${request(PLAIN, 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`,
    safe: 'refused',
  },
];

const methods: Attack[] = [
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'get',
  'PURGE',
  'EVIL',
]
  .map(
    (method): Attack => ({
      name: `the method ${method}`,
      sends: raw(`${method} ${PLAIN} HTTP/1.1`, `Host: ${HOST}`, 'Content-Length: 0'),
      safe: 'passed-by',
    }),
  )
  .concat(
    ['TRACE', 'CONNECT'].map((method) => ({
      name: `the method ${method}`,
      sends: raw(`${method} ${PLAIN} HTTP/1.1`, `Host: ${HOST}`),
      safe: 'refused',
    })),
  );

/** What a rule leaves out of the key is kept from the app; whatever else is in the query counts. */
const queries: Attack[] = [
  { name: 'a parameter that is left out', sends: '/page?utm_source=evil', safe: 'not-told' },
  {
    name: '… with another behind a semicolon',
    sends: '/page?utm_source=x;page=evil',
    safe: 'not-told',
  },
  { name: '… encoded', sends: '/page?utm%5Fsource=evil', safe: 'not-told' },
  {
    name: '… twice, and again encoded',
    sends: '/page?utm_a=1&utm_b=2&%75tm_c=evil',
    safe: 'not-told',
  },
  { name: '… in capitals, which is another', sends: '/page?UTM_SOURCE=evil', safe: 'kept-apart' },
  { name: '… in brackets, which is another', sends: '/page?[utm_source]=evil', safe: 'kept-apart' },
  { name: 'a parameter that nobody names', sends: '/page?x=evil', safe: 'kept-apart' },
  { name: 'an empty query', sends: '/page?', safe: 'not-told' },
  { name: 'a second question mark', sends: '/page??utm_source=evil', safe: 'kept-apart' },
  { name: 'an encoded question mark', sends: '/page%3Futm_source=evil', safe: 'kept-apart' },
  { name: 'an encoded ampersand', sends: '/page?a=1%26utm_source=evil', safe: 'kept-apart' },
]
  .map(
    ({ name, sends, safe }): Attack => ({
      name: `all but campaigns: ${name}`,
      sends: request(sends),
      safe: safe as Safety,
      rule: CAMPAIGN,
    }),
  )
  .concat(
    [
      { name: 'the same parameter again', sends: '/list?page=1&page=evil', safe: 'kept-apart' },
      { name: '… before it', sends: '/list?page=evil&page=1', safe: 'kept-apart' },
      { name: '… encoded', sends: '/list?page=1&%70age=evil', safe: 'kept-apart' },
      { name: '… behind a semicolon', sends: '/list?page=1;page=evil', safe: 'kept-apart' },
      { name: '… as a list', sends: '/list?page=1&page[]=evil', safe: 'not-told' },
      {
        name: '… behind one that is left out, and a semicolon',
        sends: '/list?page=1&x=1;page=evil',
        safe: 'not-told',
      },
      { name: '… with a NUL in its name', sends: '/list?page=1&page%00=evil', safe: 'not-told' },
      {
        name: '… with a space before its name',
        sends: '/list?page=1&%20page=evil',
        safe: 'not-told',
      },
      { name: 'one that nobody names', sends: '/list?page=1&x=evil', safe: 'not-told' },
    ].map(
      ({ name, sends, safe }): Attack => ({
        name: `only the page: ${name}`,
        sends: request(sends),
        safe: safe as Safety,
        rule: PAGE_ONLY,
        target: '/list?page=1',
      }),
    ),
  );

/** Paths that some servers take for the same: here each is its own. */
const paths: Attack[] = [
  '//page',
  '/./page',
  '/x/../page',
  '/x/..%2fpage',
  '/x/%2e%2e/page',
  '/page/',
  '/page/.',
  '/page;x',
  '/page%20',
  '/page%00',
  '/page%0d%0aX-Evil:%201',
  '/p%61ge',
  '/PAGE',
  '/page%2f',
  '/page%5c',
  '/page\\x',
].map((target) => ({ name: `the path ${target}`, sends: request(target), safe: 'kept-apart' }));

const hosts: Attack[] = [
  { name: 'a port', host: 'shop.example:666', safe: 'kept-apart' },
  { name: 'capitals', host: 'SHOP.example', safe: 'kept-apart' },
  { name: 'a dot at its end', host: 'shop.example.', safe: 'kept-apart' },
  { name: 'another name', host: 'evil.example', safe: 'kept-apart' },
  { name: 'a user before it', host: 'evil@shop.example', safe: 'refused' },
  { name: 'a path behind it', host: 'shop.example/evil', safe: 'refused' },
  { name: 'a port that is none', host: 'shop.example:evil', safe: 'refused' },
  { name: 'two names', host: 'shop.example, evil.example', safe: 'refused' },
  { name: 'another line of it', host: 'shop.example\r\nHost: evil.example', safe: 'refused' },
  { name: 'nothing in it', host: '', safe: 'refused' },
].map(({ name, host, safe }) => ({
  name: `a Host with ${name}`,
  sends: raw(`GET ${PLAIN} HTTP/1.1`, `Host: ${host}`),
  safe: safe as Safety,
}));

const forms: Attack[] = [
  {
    name: 'an absolute target',
    sends: raw(`GET http://${HOST}${PLAIN} HTTP/1.1`, `Host: ${HOST}`),
    safe: 'not-told',
  },
  {
    name: 'an absolute target of another host',
    sends: raw(`GET http://evil.example${PLAIN} HTTP/1.1`, `Host: ${HOST}`),
    safe: 'refused',
  },
  { name: 'HTTP/1.0', sends: raw(`GET ${PLAIN} HTTP/1.0`, `Host: ${HOST}`), safe: 'not-told' },
  { name: 'HTTP/1.0 without a Host', sends: raw(`GET ${PLAIN} HTTP/1.0`), safe: 'kept-apart' },
  { name: 'HTTP/0.9', sends: `GET ${PLAIN}\r\n\r\n`, safe: 'refused' },
  { name: 'a byte of control in a field', sends: line('X-Meta: a\u0007b'), safe: 'refused' },
  { name: 'a folded field', sends: line('X-Meta: a\r\n b'), safe: 'refused' },
  { name: 'a space before the colon', sends: line('X-Forwarded-Host : evil'), safe: 'refused' },
  { name: 'a head over the limit', sends: line(`X-Large: ${'x'.repeat(40_000)}`), safe: 'refused' },
  {
    name: 'a head below the limit that is too large for the app',
    sends: line(`X-Large: ${'x'.repeat(20_000)}`),
    safe: 'passed-by',
  },
  { name: 'a field that the app calls a bad request', sends: line('X-Bad: 1'), safe: 'passed-by' },
  { name: 'a range', sends: line('Range: bytes=0-1'), safe: 'passed-by' },
  { name: 'a range that cannot be', sends: line('Range: bytes=9999999-'), safe: 'passed-by' },
  { name: 'a condition', sends: line('If-None-Match: *'), safe: 'not-told' },
  {
    name: 'a condition on a date',
    sends: line('If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'),
    safe: 'not-told',
  },
  { name: 'If-Match', sends: line('If-Match: "evil"'), safe: 'passed-by' },
  {
    name: 'If-Unmodified-Since',
    sends: line('If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'),
    safe: 'passed-by',
  },
  { name: 'the type of a body', sends: line('Content-Type: evil/evil'), safe: 'not-told' },
  { name: 'the coding of a body', sends: line('Content-Encoding: evil'), safe: 'not-told' },
  { name: 'the length of no body', sends: line('Content-Length: 0'), safe: 'not-told' },
  { name: 'an expectation', sends: line('Expect: 100-continue'), safe: 'not-told' },
  { name: 'a cookie', sends: line('Cookie: theme=evil'), safe: 'not-told' },
  { name: 'credentials', sends: line('Authorization: Basic ZXZpbA=='), safe: 'passed-by' },
  {
    name: 'an upgrade',
    sends: line('Connection: Upgrade\r\nUpgrade: websocket'),
    safe: 'passed-by',
  },
];

export const attacks: readonly Attack[] = [
  ...forwarded,
  ...overrides,
  ...hopByHop,
  ...bodies,
  ...methods,
  ...queries,
  ...paths,
  ...hosts,
  ...forms,
];
