import { type Refusal, refusals } from '../http/refusal.ts';
import {
  brokenOff,
  chunked,
  get,
  H,
  post,
  type RequestCase,
  ROW_BODY_BYTES,
  ROW_LIMITS,
  refused,
  upChunked,
} from './request-case.fixture.ts';

/** Raw inputs whose first request the edge refuses, and with what. */

const withField = (line: string) => get(`${H}${line}\r\n`);
const withLength = (value: string) => post(`Content-Length:${value}\r\n`, 'hello');
const withCoding = (value: string) => post(`Transfer-Encoding:${value}\r\n`, '0\r\n\r\n');
const withHost = (value: string) => get(`Host:${value}\r\n`);
const line = (text: string) => `${text}\r\n${H}\r\n`;

/** A byte at a time, its NUL or half line end is found before its line is all there. */
const soonRefused = (name: string, input: string, refusal: Refusal): RequestCase => ({
  ...refused(name, input, refusal),
  earlier: refusals.controlCharacter,
});

const twoFramings: RequestCase[] = [
  refused(
    'Transfer-Encoding together with Content-Length',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refusals.lengthAndCoding,
  ),
  refused(
    'the same in the other order',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    refusals.lengthAndCoding,
  ),
  refused(
    'Transfer-Encoding together with a length of 0',
    post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refusals.lengthAndCoding,
  ),
  refused(
    'an unknown coding together with a length',
    post('Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n', 'hello'),
    refusals.lengthAndCoding,
  ),
  refused(
    'Transfer-Encoding on HTTP/1.0',
    `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    refusals.codingBefore11,
  ),
];

const lengths: RequestCase[] = [
  refused('differing lengths', withLength(' 5\r\nContent-Length: 6'), refusals.badLength),
  refused('the same length twice', withLength(' 5\r\ncontent-length: 5'), refusals.badLength),
  refused('a list of lengths', withLength(' 5, 5'), refusals.badLength),
  refused('a length with a comma', withLength(' 5,'), refusals.badLength),
  refused('a length with a plus', withLength(' +5'), refusals.badLength),
  refused('a length with a minus', withLength(' -5'), refusals.badLength),
  refused('a length of minus 0', withLength(' -0'), refusals.badLength),
  refused('a length with a space inside', withLength(' 5 5'), refusals.badLength),
  refused('a hexadecimal length', withLength(' 0x5'), refusals.badLength),
  refused('a length in hexadecimal digits', withLength(' a'), refusals.badLength),
  refused('a fractional length', withLength(' 5.0'), refusals.badLength),
  refused('a length with an exponent', withLength(' 5e0'), refusals.badLength),
  refused('a length with an underscore', withLength(' 1_0'), refusals.badLength),
  refused('a length in quotes', withLength(' "5"'), refusals.badLength),
  refused('an empty length', withLength(''), refusals.badLength),
  refused('a length in other digits', withLength(' \xb2'), refusals.badLength),
  refused('a length behind a no-break space', withLength(' \xa05'), refusals.badLength),
  refused('a length behind a vertical tab', withLength(' \x0b5'), refusals.controlCharacter),
  refused('a length over the limit', withLength(` ${ROW_BODY_BYTES + 1}`), refusals.bodyTooLarge),
  refused('a length of 2 to the 64', withLength(' 18446744073709551616'), refusals.bodyTooLarge),
  refused('a length that no number holds', withLength(` ${'9'.repeat(40)}`), refusals.bodyTooLarge),
];

const codings: RequestCase[] = [
  refused('an unknown transfer coding', withCoding(' gzip'), refusals.unknownCoding),
  refused('a coding before chunked', withCoding(' gzip, chunked'), refusals.unknownCoding),
  refused('a coding behind chunked', withCoding(' chunked, gzip'), refusals.badCoding),
  refused('identity', withCoding(' identity'), refusals.unknownCoding),
  refused('identity before chunked', withCoding(' identity, chunked'), refusals.unknownCoding),
  refused('chunked with a parameter', withCoding(' chunked;a=b'), refusals.unknownCoding),
  refused('chunked in quotes', withCoding(' "chunked"'), refusals.unknownCoding),
  refused('chunked with a letter before', withCoding(' xchunked'), refusals.unknownCoding),
  refused('chunked with a byte above 127', withCoding(' chunked\xa0'), refusals.unknownCoding),
  refused('chunked behind a vertical tab', withCoding(' \x0bchunked'), refusals.controlCharacter),
  refused('chunked with NUL behind', withCoding(' chunked\0'), refusals.controlCharacter),
  refused('chunked with a comma behind', withCoding(' chunked,'), refusals.badCoding),
  refused('chunked with a comma before', withCoding(' ,chunked'), refusals.badCoding),
  refused('chunked twice in one line', withCoding(' chunked, chunked'), refusals.badCoding),
  refused(
    'chunked twice in two lines',
    withCoding(' chunked\r\nTransfer-Encoding: chunked'),
    refusals.badCoding,
  ),
  refused(
    'two codings in two lines',
    withCoding(' identity\r\nTransfer-Encoding: chunked'),
    refusals.badCoding,
  ),
  refused('an empty transfer coding', withCoding(''), refusals.badCoding),
  refused('a coding in a folded line', withCoding('\r\n chunked'), refusals.folded),
  refused(
    'a space before the colon of a coding',
    post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    refusals.malformedField,
  ),
];

const fieldLines: RequestCase[] = [
  refused('a folded field', withField('X-A: b\r\n c'), refusals.folded),
  refused('a field folded with a tab', withField('X-A: b\r\n\tc'), refusals.folded),
  refused('a folded first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', refusals.folded),
  refused('a field folded to nothing', withField('X-A: b\r\n '), refusals.folded),
  refused('a bare CR in a value', withField('X-A: b\rc'), refusals.controlCharacter),
  refused('two CRs at the end of a line', withField('X-A: b\r'), refusals.controlCharacter),
  refused('a bare LF in a value', withField('X-A: b\nX-C: d'), refusals.controlCharacter),
  refused('line ends of LF only', 'GET / HTTP/1.1\nHost: a\n\n', refusals.controlCharacter),
  refused('line ends of CR only', 'GET / HTTP/1.1\rHost: a\r\r', refusals.controlCharacter),
  refused('a head that ends with LF LF', `GET / HTTP/1.1\r\n${H}\n`, refusals.controlCharacter),
  refused('NUL in a value', withField('X-A: b\0c'), refusals.controlCharacter),
  refused('NUL in a name', withField('X\0A: b'), refusals.controlCharacter),
  refused('a control character in a value', withField('X-A: \x01'), refusals.controlCharacter),
  refused('an escape in a value', withField('X-A: \x1b[2J'), refusals.controlCharacter),
  refused('DEL in a value', withField('X-A: \x7f'), refusals.controlCharacter),
  refused('a space before the colon', withField('X-A : b'), refusals.malformedField),
  refused(
    'a space before the colon of a length',
    post('Content-Length : 5\r\n', 'hello'),
    refusals.malformedField,
  ),
  refused('a tab before the colon', withField('X-A\t: b'), refusals.malformedField),
  refused('a field without a colon', withField('X-A'), refusals.malformedField),
  refused('a field without a name', withField(': b'), refusals.malformedField),
  refused('a request line among the fields', withField('GET / HTTP/1.1'), refusals.malformedField),
  refused('a field name that is no token', withField('X(A): b'), refusals.malformedField),
  refused('a field name in quotes', withField('"Host": b'), refusals.malformedField),
  refused('a field name with bytes above 127', withField('X-\xeb: b'), refusals.malformedField),
];

const hosts: RequestCase[] = [
  refused('HTTP/1.1 without Host', get(''), refusals.noHost),
  refused('two Hosts', get(`${H}${H}`), refusals.repeatedHost),
  refused('two Hosts that differ', get(`${H}host: b\r\n`), refusals.repeatedHost),
  refused('two Hosts on HTTP/1.0', get(`${H}${H}`, '/', '1.0'), refusals.repeatedHost),
  refused('an empty Host', withHost(''), refusals.badHost),
  refused('a Host of white space', withHost(' \t '), refusals.badHost),
  refused('a Host with user and password', withHost(' a@b'), refusals.badHost),
  refused('a Host with a space', withHost(' a b'), refusals.badHost),
  refused('a list of Hosts', withHost(' a,b'), refusals.badHost),
  refused('a Host with a path', withHost(' a/b'), refusals.badHost),
  refused('a Host with a scheme', withHost(' http://a'), refusals.badHost),
  refused('a Host that begins with a dot', withHost(' .a'), refusals.badHost),
  refused('a Host with a percent sign', withHost(' a%2eb'), refusals.badHost),
  refused('a Host with bytes above 127', withHost(' \xeb'), refusals.badHost),
  refused('a Host with half a bracket', withHost(' [::1'), refusals.badHost),
  refused('a Host with two ports', withHost(' a:1:2'), refusals.badHost),
  refused('a Host with a port that is no number', withHost(' a:b'), refusals.badHost),
  refused('a Host with a port of six digits', withHost(' a:123456'), refusals.badHost),
];

const lines: RequestCase[] = [
  refused('HTTP/0.9', 'GET /\r\n\r\n', refusals.malformedLine),
  refused('HTTP/0.9 without an empty line', 'GET /\r\n', refusals.malformedLine),
  refused('HTTP/0.9 by name', get(H, '/', '0.9'), refusals.badVersion),
  refused('HTTP/2.0', get(H, '/', '2.0'), refusals.badVersion),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refusals.badVersion),
  refused('HTTP/1.2', get(H, '/', '1.2'), refusals.badVersion),
  refused('a version in lower case', line('GET / http/1.1'), refusals.malformedLine),
  refused('a version with more digits', get(H, '/', '1.10'), refusals.malformedLine),
  refused('a version with a comma', get(H, '/', '1,1'), refusals.malformedLine),
  refused('a version without a minor one', get(H, '/', '1'), refusals.malformedLine),
  refused('another protocol', line('GET / HTTPS/1.1'), refusals.malformedLine),
  refused('two spaces before the target', line('GET  / HTTP/1.1'), refusals.badTarget),
  refused('two spaces before the version', line('GET /  HTTP/1.1'), refusals.malformedLine),
  refused('a space behind the version', line('GET / HTTP/1.1 '), refusals.malformedLine),
  refused('a tab in the request line', line('GET\t/ HTTP/1.1'), refusals.malformedLine),
  refused('a space before the method', line(' GET / HTTP/1.1'), refusals.malformedLine),
  refused('a request line without a method', line('/ HTTP/1.1'), refusals.malformedLine),
  refused('two empty lines before a request', `\r\n\r\n${get(H)}`, refusals.malformedLine),
  soonRefused('an empty line of LF before a request', `\n${get(H)}`, refusals.badMethod),
  refused('a method that is no token', line('G(T / HTTP/1.1'), refusals.badMethod),
  soonRefused('a method with NUL', line('G\0T / HTTP/1.1'), refusals.badMethod),
  refused('CONNECT', `CONNECT a.localhost:443 HTTP/1.1\r\n${H}\r\n`, refusals.methodNotAllowed),
  refused(
    'CONNECT with what would go through the tunnel',
    `CONNECT a.localhost:443 HTTP/1.1\r\n${H}\r\n${get(H)}`,
    refusals.methodNotAllowed,
  ),
  refused('TRACE', line('TRACE / HTTP/1.1'), refusals.methodNotAllowed),
];

const targets: RequestCase[] = [
  refused('a target that begins with no slash', get(H, 'x'), refusals.badTarget),
  refused('a target of a query only', get(H, '?q'), refusals.badTarget),
  refused('a target with a fragment', get(H, '/a#b'), refusals.badTarget),
  refused('a target with a control character', get(H, '/a\x01b'), refusals.badTarget),
  soonRefused('a target with a bare CR', get(H, '/a\rb'), refusals.badTarget),
  refused('a target with bytes above 127', get(H, '/\xeb'), refusals.badTarget),
  refused('a target with a space', get(H, '/a b'), refusals.malformedLine),
  refused(
    'an absolute target that disagrees with Host',
    get(H, 'http://b.localhost/'),
    refusals.otherAuthority,
  ),
  refused(
    'an absolute target with a port that Host lacks',
    get(H, 'http://a.localhost:80/'),
    refusals.otherAuthority,
  ),
  refused('an absolute target without Host', get('', 'http://a.localhost/'), refusals.noHost),
  refused('an absolute target of another scheme', get(H, 'ftp://a.localhost/'), refusals.badTarget),
  refused('an absolute target of nobody', get(H, 'http:///x'), refusals.badTarget),
  refused(
    'an absolute target with user and password',
    get(H, 'http://x@a.localhost/'),
    refusals.badTarget,
  ),
  refused('an authority as a target', get(H, 'a.localhost:80'), refusals.badTarget),
  refused('* for anything but OPTIONS', get(H, '*'), refusals.badTarget),
  refused('OPTIONS of * and more', line('OPTIONS *a HTTP/1.1'), refusals.badTarget),
];

const sizes: RequestCase[] = [
  refused(
    'a target over the limit',
    get(H, `/${'a'.repeat(ROW_LIMITS.targetBytes)}`),
    refusals.targetTooLong,
  ),
  refused(
    'a target over the limit without an end',
    `GET /${'a'.repeat(700)}`,
    refusals.targetTooLong,
  ),
  refused('a method without an end', 'A'.repeat(700), refusals.targetTooLong),
  refused('a head over the limit', withField(`X-A: ${'a'.repeat(5_000)}`), refusals.headTooLarge),
  refused(
    'a head over the limit without an end',
    `GET / HTTP/1.1\r\n${H}X-A: ${'a'.repeat(5_000)}`,
    refusals.headTooLarge,
  ),
  refused(
    'too many fields',
    get(`${H}${'X-A: b\r\n'.repeat(ROW_LIMITS.fields)}`),
    refusals.tooManyFields,
  ),
  brokenOff(
    'chunks over the limit',
    chunked(`3e8\r\n${'a'.repeat(1_000)}\r\n1\r\na\r\n0\r\n\r\n`),
    refusals.bodyTooLarge,
    upChunked(`3e8\r\n${'a'.repeat(1_000)}\r\n`),
  ),
];

const otherProtocols: RequestCase[] = [
  soonRefused(
    'the first bytes of TLS',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    refusals.malformedLine,
  ),
  refused('SSH', 'SSH-2.0-OpenSSH_9.2\r\n', refusals.malformedLine),
  refused(
    'the PROXY protocol, which nobody has configured',
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${get(H)}`,
    refusals.malformedLine,
  ),
  refused('zeros', '\0'.repeat(64), refusals.controlCharacter),
  refused('an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', refusals.badMethod),
];

const expectations: RequestCase[] = [
  refused(
    'an unknown expectation',
    post('Expect: a-miracle\r\nContent-Length: 0\r\n', ''),
    refusals.unknownExpectation,
  ),
  refused(
    'two expectations in one line',
    post('Expect: 100-continue, 100-continue\r\nContent-Length: 0\r\n', ''),
    refusals.unknownExpectation,
  ),
  refused('an empty expectation', withField('Expect:'), refusals.unknownExpectation),
];

const badSize = (name: string, body: string) =>
  brokenOff(name, chunked(body), refusals.badChunk, upChunked(''));
const badBehind = (name: string, body: string, good: string) =>
  brokenOff(name, chunked(body), refusals.badChunk, upChunked(good));

const chunks: RequestCase[] = [
  badSize('a chunk size with a sign', '+5\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with a minus', '-5\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with a space before', ' 5\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with a space behind', '5 \r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with a space before its extension', '5 ;a\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with a tab behind', '5\t\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with an underscore', '0_5\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size with a letter too far', '5g\r\nhello\r\n0\r\n\r\n'),
  badSize('an empty chunk size', '\r\nhello\r\n0\r\n\r\n'),
  badSize('an extension without a size', ';a\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size that overflows', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size of 2 to the 32 too much', '0000000100000005\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size line that ends with LF', '5\nhello\r\n0\r\n\r\n'),
  badSize('a chunk size line that ends with CR', '5\rhello\r\n0\r\n\r\n'),
  badSize('a CR inside a chunk extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
  badSize('an LF that ends a chunk extension', '5;a\nhello\r\n0\r\n\r\n'),
  badSize('NUL inside a chunk extension', '5;a\0\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk extension without a name', '5;\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk extension behind a space', '5; a=b\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk extension that is no token', '5;a b\r\nhello\r\n0\r\n\r\n'),
  badSize('a chunk extension with half a quote', '5;a="b\r\nhello\r\n0\r\n\r\n'),
  badSize('an endless chunk extension', `5;${'a'.repeat(400)}\r\nhello\r\n0\r\n\r\n`),
  badBehind('chunk data longer than its size', '4\r\nhello\r\n0\r\n\r\n', '4\r\nhell\r\n'),
  badBehind('chunk data shorter than its size', '6\r\nhello\r\n0\r\n\r\n', '6\r\nhello\r\r\n'),
  badBehind('chunk data that ends with LF', '5\r\nhello\n0\r\n\r\n', '5\r\nhello\r\n'),
  badBehind('chunk data that ends with CR', '5\r\nhello\r0\r\n\r\n', '5\r\nhello\r\n'),
  badBehind('chunk data without a line end', '5\r\nhello0\r\n\r\n', '5\r\nhello\r\n'),
  badSize('a last chunk that ends with LF', '0\r\n\n'),
  badSize('a trailer that names a length', '0\r\nContent-Length: 5\r\n\r\n'),
  badSize('a trailer that names a coding', '0\r\ntransfer-encoding: chunked\r\n\r\n'),
  badSize('a trailer that names Host', '0\r\nHost: b\r\n\r\n'),
  badSize('a trailer that names Connection', '0\r\nConnection: close\r\n\r\n'),
  badSize('a folded trailer', '0\r\nX-A: b\r\n c\r\n\r\n'),
  badSize('a trailer with a space before the colon', '0\r\nX-A : b\r\n\r\n'),
  badSize('a trailer with NUL', '0\r\nX-A: \0\r\n\r\n'),
  badSize('a trailer that ends with LF', '0\r\nX-A: b\n\r\n'),
  badSize('trailers without an end', `0\r\n${'X-A: b\r\n'.repeat(1_100)}`),
  badSize('a trailer that is no field', '0\r\nGET / HTTP/1.1\r\n\r\n'),
];

export const refusedRequests: readonly RequestCase[] = [
  ...twoFramings,
  ...lengths,
  ...codings,
  ...fieldLines,
  ...hosts,
  ...lines,
  ...targets,
  ...sizes,
  ...otherProtocols,
  ...expectations,
  ...chunks,
];
