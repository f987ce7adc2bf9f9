/** Requests that are nearly right: what parsers disagree about, from a seed, without end. */

/** Numbers from a seed, the same ones every time (mulberry32). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

const H = 'Host: a\r\n';
const NEXT = `GET /next HTTP/1.1\r\n${H}\r\n`;

/** Right ones, each with another behind it where there may be one. */
export const RIGHT_REQUESTS: readonly string[] = [
  `GET /a?b=c HTTP/1.1\r\n${H}Accept: */*\r\nCookie: a=b; c=d\r\n\r\n${NEXT}`,
  `GET / HTTP/1.1\r\n${H}Connection: keep-alive\r\n\r\n${NEXT}`,
  `GET http://a/b HTTP/1.1\r\n${H}\r\n${NEXT}`,
  `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${NEXT}`,
  `HEAD / HTTP/1.1\r\n${H}X-A: b\r\n\r\n${NEXT}`,
  `OPTIONS * HTTP/1.1\r\n${H}\r\n${NEXT}`,
  `POST /p HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nhello${NEXT}`,
  `POST /p HTTP/1.1\r\n${H}Content-Length: ${NEXT.length}\r\n\r\n${NEXT}${NEXT}`,
  `POST /p HTTP/1.1\r\nContent-Length: 0\r\n${H}\r\n${NEXT}`,
  `POST /p HTTP/1.0\r\n${H}Content-Length: 5\r\nConnection: Keep-Alive\r\n\r\nhello${NEXT}`,
  `POST /p HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${NEXT}`,
  `PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${H}\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n${NEXT}`,
  `POST /p HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n25\r\n${NEXT}0\r\n\r\n${NEXT}`,
  `POST /p HTTP/1.1\r\n${H}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi${NEXT}`,
  `GET / HTTP/1.1\r\n${H}Connection: Upgrade, X-A\r\nUpgrade: websocket\r\nX-A: b\r\n\r\n${NEXT}`,
  `DELETE /x HTTP/1.1\r\n${H}X_A: b\r\nTE: trailers\r\nX-Forwarded-For: 1\r\n\r\n${NEXT}`,
];

/** Bytes on which framing hangs, or that some parsers take for them. */
const ODD_BYTES = [...'\r\n\0 \t:;,05aAf-+_"/*#%@[]\\\x0b\x0c\x1b\x7f\x80\x85\xa0\xff'];
const ODD_TEXTS = [
  ...['\r\n', '\n\n', '\r\r', '\r\n\r\n', '\n', '\r\n ', '\r\n\t', '\r\n\0', ' \r\n', '\t\r\n'],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Content-Length:+5\r\n',
    'content-length:5 \r\n',
  ],
  ...[
    'Content-Length : 5\r\n',
    'Content-Length: 5,5\r\n',
    'Content_Length: 5\r\n',
    'Content-Length: 0x5\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'transfer-encoding:chunked\r\n',
    'Transfer-Encoding: xchunked\r\n',
  ],
  ...[
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: chunked, identity\r\n',
    'Transfer-Encoding:\x0bchunked\r\n',
  ],
  ...[
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding\r\n : chunked\r\n',
    'Transfer_Encoding: chunked\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: content-length\r\n',
    'Connection: transfer-encoding, host\r\n',
  ],
  ...[
    'Connection: Upgrade\r\n',
    'Upgrade: h2c\r\n',
    'Upgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
  ],
  ...[
    'Host: b\r\n',
    'Host:\r\n',
    'host: a\r\n',
    'X-A: b\r\n c\r\n',
    'X-A: \xeb\r\n',
    'Trailer: X-Sum\r\n',
  ],
  ...[
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    '0\r\n',
    '0;a\r\n\r\n',
    '00000000000000005\r\nhello\r\n',
    '5 \r\nhello\r\n',
  ],
  ...[
    ' HTTP/1.1',
    ' HTTP/1.0',
    ' HTTP/0.9',
    'HTTP/1.1\r\n',
    'http://a',
    'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
];

/** How one text becomes another. Any three whole numbers do. */
export interface Mutation {
  kind: number;
  at: number;
  what: number;
}

const pick = <T>(from: readonly T[], index: number): T => from[index % from.length] as T;

const mutations: readonly ((text: string, at: number, what: number) => string)[] = [
  (text, at, what) => text.slice(0, at) + pick(ODD_BYTES, what) + text.slice(at + 1),
  (text, at, what) => text.slice(0, at) + pick(ODD_BYTES, what) + text.slice(at),
  (text, at, what) => text.slice(0, at) + text.slice(at + 1 + (what % 4)),
  (text, at, what) => text.slice(0, at) + pick(ODD_TEXTS, what) + text.slice(at),
  // Another line, in its place: behind a line end.
  (text, at, what) => {
    const line = text.indexOf('\n', at) + 1;
    return text.slice(0, line) + pick(ODD_TEXTS, what) + text.slice(line);
  },
  // A part of it again, somewhere else.
  (text, at, what) => {
    const from = what % text.length;
    return text.slice(0, at) + text.slice(from, from + 1 + (what % 40)) + text.slice(at);
  },
  (text, at, what) => text.slice(0, at) + pick(RIGHT_REQUESTS, what).slice(what % 64),
  (text, at) => text.slice(0, at),
];

export function mutated(text: string, { kind, at, what }: Mutation): string {
  return pick(mutations, kind)(text, at % (text.length + 1), what);
}

/** The next of endlessly many. */
export function mutatedRequest(dice: Dice): string {
  let text = pick(RIGHT_REQUESTS, dice.below(RIGHT_REQUESTS.length));
  for (let left = dice.below(4); left >= 0; left -= 1) {
    text = mutated(text, {
      kind: dice.below(64),
      at: dice.below(1 << 16),
      what: dice.below(1 << 16),
    });
  }
  return text;
}
