import type { CacheRule } from '../../model/cache.ts';

/** What apps answer once, and must not answer through the cache again. */

interface PoisonedAnswer {
  name: string;
  /** To the first request; to the next it says `honest`. */
  says: string;
  /** What it does with its connection behind that; left out: nothing. */
  ends?: 'end' | 'reset';
  /** Beside that everything is kept for a minute about which the app says nothing. */
  rule?: Partial<CacheRule>;
}

const evil = (fields: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\n${fields}Content-Length: 4\r\n\r\nevil`;

const forLong = 'Cache-Control: public, max-age=86400\r\n';

export const answers: readonly PoisonedAnswer[] = [
  // Not whole.
  {
    name: 'less than its length, and the end',
    says: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nevil',
    ends: 'end',
  },
  {
    name: 'less than its length, and a reset',
    says: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nevil',
    ends: 'reset',
  },
  {
    name: 'chunks without the last',
    says: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n',
    ends: 'end',
  },
  {
    name: 'a chunk that breaks off',
    says: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nevil',
    ends: 'end',
  },
  {
    name: 'chunks, and half of the last',
    says: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n',
    ends: 'reset',
  },
  {
    name: 'a body that ends with a reset',
    says: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nevil',
    ends: 'reset',
  },
  // Not framed, or framed twice.
  {
    name: 'a length and chunks',
    says: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nevil',
  },
  {
    name: 'two lengths',
    says: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nevil',
  },
  {
    name: 'a chunk size with a sign',
    says: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+4\r\nevil\r\n0\r\n\r\n',
  },
  {
    name: 'a line end alone in a field, and a head behind it',
    says: 'HTTP/1.1 200 OK\r\nLocation: /a\nX-Evil: 1\r\nContent-Length: 4\r\n\r\nevil',
  },
  {
    name: 'a field that ends the head early',
    says: `HTTP/1.1 302 Found\r\nLocation: /a\r\nSet-Cookie: a=\r\nContent-Length: 0\r\n\r\n${evil(forLong)}`,
  },
  {
    name: 'another answer behind the first',
    says: `HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 4\r\n\r\nevil${evil(forLong)}`,
  },
  { name: 'what is not HTTP', says: 'evil\r\n\r\n' },
  // Of one client.
  { name: 'Set-Cookie beside a long lifetime', says: evil(`${forLong}Set-Cookie: sid=evil\r\n`) },
  { name: 'Set-Cookie beside nothing', says: evil('set-cookie: sid=evil\r\n') },
  { name: 'private', says: evil('Cache-Control: private\r\n'), rule: { leastS: 3_600 } },
  { name: 'private, beside a lifetime', says: evil('Cache-Control: max-age=60, private\r\n') },
  { name: 'private on another line', says: evil(`${forLong}Cache-Control: private\r\n`) },
  { name: 'no-store', says: evil('Cache-Control: no-store\r\n'), rule: { leastS: 3_600 } },
  { name: 'no-store in capitals', says: evil('CACHE-CONTROL: Public, NO-STORE\r\n') },
  {
    name: 'no-store for caches like this',
    says: evil(`${forLong}CDN-Cache-Control: no-store\r\n`),
  },
  { name: 'Vary: *', says: evil(`${forLong}Vary: *\r\n`) },
  { name: 'Vary: * among others', says: evil(`${forLong}Vary: Accept, *\r\n`) },
  // Of one request.
  { name: '431', says: evil(forLong, '431 Too Large') },
  { name: '400', says: evil(forLong, '400 Bad Request') },
  { name: '413', says: evil(forLong, '413 Too Large') },
  { name: '417', says: evil(forLong, '417 Expectation Failed') },
  {
    name: '206 that nobody asked for',
    says: evil(`${forLong}Content-Range: bytes 0-3/99\r\n`, '206 Partial Content'),
  },
  {
    name: '304 that nobody asked for',
    says: `HTTP/1.1 304 Not Modified\r\n${forLong}ETag: "evil"\r\n\r\n`,
  },
  {
    name: '416',
    says: evil(`${forLong}Content-Range: bytes */4\r\n`, '416 Range Not Satisfiable'),
  },
  {
    name: 'a status that is to be understood, and is not',
    says: evil('Cache-Control: max-age=60, must-understand\r\n', '299 Evil'),
  },
  { name: '5xx', says: evil('', '500 Evil') },
  // Not fresh.
  {
    name: 'an Age above all lifetimes',
    says: evil(`${forLong}Age: 99999999999999999999\r\n`),
    rule: { staleIfErrorS: 0 },
  },
  { name: 'max-age=0', says: evil('Cache-Control: max-age=0\r\n') },
  { name: 'a lifetime said twice', says: evil('Cache-Control: max-age=0, max-age=86400\r\n') },
  { name: 'Expires in the past', says: evil('Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n') },
  { name: 'Expires that is none', says: evil('Expires: evil\r\n') },
];

/** Files that everybody gets, by the ends of their names: what cache deception goes for. */
const deceptive = [
  '/account/x.css',
  '/account.css',
  '/account;x.css',
  '/account;.css',
  '/account%2fx.css',
  '/account/..%2fstatic.css',
  '/account%2f..%2fstatic.css',
  '/account%00.css',
  '/account%0a.css',
  '/account%23.css',
  '/account%3f.css',
  '/account%3bx.css',
  '/account//x.css',
  '/account/./x.css',
  '/static/../account/x.css',
  '/static/..%2faccount?x.css',
  '/account?x.css',
  '/account/x.css?a=1',
  '//account/x.css',
];

const FILES: Partial<CacheRule> = { path: '/*.css', otherwiseS: 86_400 };
const ALL_FOR_LONG: Partial<CacheRule> = { path: '/*', leastS: 3_600 };

/** Apps that show an account at every address that begins like its own. */
export const accounts: readonly {
  name: string;
  targets: readonly string[];
  /** Header lines of every answer. */
  says: string;
  rules: readonly Partial<CacheRule>[];
}[] = [
  { name: 'nothing said, no rule', targets: deceptive, says: '', rules: [] },
  { name: 'nothing said, a rule for files', targets: deceptive, says: '', rules: [FILES] },
  {
    name: 'private, a rule for files and a least lifetime for the rest',
    targets: deceptive,
    says: 'Cache-Control: private\r\n',
    rules: [FILES, ALL_FOR_LONG],
  },
  {
    name: 'no-store, a rule for files and a least lifetime for the rest',
    targets: deceptive,
    says: 'Cache-Control: no-store\r\n',
    rules: [FILES, ALL_FOR_LONG],
  },
  {
    name: 'a lifetime, and Vary: Cookie',
    targets: deceptive,
    says: 'Cache-Control: max-age=60\r\nVary: Cookie\r\n',
    rules: [],
  },
];
