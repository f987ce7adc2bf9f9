import { httpOrigin, type Origin, rawOrigin, type SeenRequest } from './edge.fixture.ts';

/** Apps that keep every byte they were sent, so that a test can say what went up and what did not. */

/** Stands for the header lines that the edge adds, in what an app received. */
export const EDGE = '<edge>\r\n';

export interface Witness extends Origin {
  /** All it was sent, in order. */
  bytes: string;
}

/** Node's own parser, as strict as it is by default, and what it made of the bytes. */
export interface ParsingWitness extends Witness {
  /** Requests that began, and of these the ones that came whole. */
  begun: number;
  seen: SeenRequest[];
  /** What it took for no request, by Node's codes. */
  complaints: string[];
}

/** Answers `ok` to everything. */
export async function parsingWitness(): Promise<ParsingWitness> {
  const origin = await httpOrigin((request, response) => {
    witness.begun += 1;
    let body = '';
    request.setEncoding('latin1').on('data', (piece: string) => {
      body += piece;
    });
    request.on('error', () => {});
    request.on('end', () => {
      const { method = '', url = '', headers, trailers } = request;
      witness.seen.push({ method, url, headers, body, trailers });
      response.sendDate = false;
      response.setHeader('Content-Length', 2);
      // Behind a request that could have switched protocols, Node reports no errors any more.
      if (headers.upgrade !== undefined) response.setHeader('Connection', 'close');
      response.end('ok');
    });
  });
  const witness: ParsingWitness = Object.assign(origin, {
    bytes: '',
    begun: 0,
    seen: [],
    complaints: [],
  });
  origin.server.on('connection', (socket) => {
    socket.on('data', (chunk: Buffer) => {
      witness.bytes += chunk.toString('latin1');
    });
  });
  origin.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    witness.complaints.push(error.code ?? error.message);
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  return witness;
}

/** Answers every head with these bytes, as soon as it is there and whatever comes behind it. */
export async function scriptedWitness(answer: string): Promise<Witness> {
  const unanswered = new Map<number, string>();
  const origin = await rawOrigin((socket, bytes, connection) => {
    witness.bytes += bytes;
    const text = (unanswered.get(connection) ?? '') + bytes;
    const isHead = text.includes('\r\n\r\n');
    unanswered.set(connection, isHead ? '' : text);
    if (isHead) socket.write(Buffer.from(answer, 'latin1'));
  });
  const witness: Witness = Object.assign(origin, { bytes: '' });
  return witness;
}

/** What an app received, with what differs from run to run named instead. */
export function named(witness: Witness): string {
  return witness.bytes
    .replaceAll(`Host: 127.0.0.1:${witness.port}\r\n`, 'Host: <target>\r\n')
    .replaceAll(
      /X-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\n(?:X-Forwarded-(?:Host|Port): [^\r]+\r\n)*Forwarded: for=127\.0\.0\.1[^\r]*\r\nX-Request-Id: [0-9a-f]{16}-[0-9a-z]+\r\n/g,
      EDGE,
    );
}

const CHUNKED_HEAD_END = 'Transfer-Encoding: chunked\r\n\r\n';

/** The same messages however their chunked bodies are cut: one chunk of no stated size for each. */
export function joinChunks(messages: string): string {
  const [first = '', ...others] = messages.split(CHUNKED_HEAD_END);
  return [first, ...others.map(joinBody)].join(CHUNKED_HEAD_END);
}

function joinBody(text: string): string {
  let data = '';
  let position = 0;
  for (;;) {
    const end = text.indexOf('\r\n', position);
    const size = Number.parseInt(text.slice(position, end === -1 ? undefined : end), 16);
    if (end === -1 || Number.isNaN(size)) return data;
    if (size === 0) return `${data}<end>${text.slice(end + 2)}`;
    data += text.slice(end + 2, end + 2 + size);
    position = end + 2 + size + 2;
  }
}
