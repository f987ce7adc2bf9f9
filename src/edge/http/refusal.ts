/** A request that we answer ourselves, because of its form, and close the connection after. */
export interface Refusal {
  readonly status: number;
  /** For the person at the other end, as a sentence without a period. */
  readonly detail: string;
}

const refuse = (status: number, detail: string): Refusal => ({ status, detail });

export const refusals = {
  malformedLine: refuse(400, 'the request line is not "METHOD target HTTP/1.1"'),
  badMethod: refuse(400, 'the method is not a token'),
  badTarget: refuse(400, 'the request target is malformed'),
  badVersion: refuse(505, 'this server speaks HTTP/1.1 and HTTP/1.0'),
  malformedField: refuse(400, 'a header line is not "name: value"'),
  controlCharacter: refuse(400, 'the head has a control character or a line end that is not CRLF'),
  folded: refuse(400, 'a header line is folded'),
  noHost: refuse(400, 'the request has no Host'),
  repeatedHost: refuse(400, 'the request has more than one Host'),
  badHost: refuse(400, 'the Host is not a host name with an optional port'),
  otherAuthority: refuse(400, 'the request target and the Host name different hosts'),
  tooManyHops: refuse(400, 'X-Forwarded-For names more than 30 addresses'),
  badLength: refuse(400, 'the Content-Length is not one decimal number'),
  lengthAndCoding: refuse(400, 'the request has both Content-Length and Transfer-Encoding'),
  badCoding: refuse(400, 'the Transfer-Encoding is malformed'),
  unknownCoding: refuse(501, 'the only transfer coding this server knows is chunked'),
  codingBefore11: refuse(400, 'HTTP/1.0 has no Transfer-Encoding'),
  badChunk: refuse(400, 'the chunked body is malformed'),
  bodyTooLarge: refuse(413, 'the request body is too large'),
  targetTooLong: refuse(414, 'the request target is too long'),
  headTooLarge: refuse(431, 'the request head is too large'),
  tooManyFields: refuse(431, 'the request has too many header lines'),
  unknownExpectation: refuse(417, 'the only expectation this server knows is 100-continue'),
  methodNotAllowed: refuse(405, 'this server does not answer CONNECT and TRACE'),
  headTooSlow: refuse(408, 'the request head took too long'),
  bodyTooSlow: refuse(408, 'the request body stopped coming'),
} as const;
