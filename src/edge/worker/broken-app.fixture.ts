import type { Socket } from 'node:net';
import { type Origin, rawOrigin } from './edge.fixture.ts';

/** An app that works until it is asked for `/case`, and then does what the test is about. */

export interface BrokenApp extends Origin {
  /** How it answers `/case`. */
  play: (socket: Socket) => void;
  /** What it was asked for, and on which of its connections. */
  asked: { path: string; connection: number }[];
}

/** What it answers in step: the body is the path. */
export const inStep = (path: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`;

export async function brokenApp(): Promise<BrokenApp> {
  const unanswered = new Map<number, string>();
  const origin = await rawOrigin((socket, bytes, connection) => {
    const text = (unanswered.get(connection) ?? '') + bytes;
    const request = /^[A-Z]+ (\S+) HTTP\/1\.1\r\n[\s\S]*?\r\n\r\n(?:hi)?$/.exec(text);
    unanswered.set(connection, request ? '' : text);
    const path = request?.[1];
    if (path === undefined) return;
    app.asked.push({ path, connection });
    if (path === '/case') app.play(socket);
    else socket.write(inStep(path));
  });
  const app: BrokenApp = Object.assign(origin, { play: () => {}, asked: [] });
  return app;
}

export interface ReadResponse {
  status: number;
  body: string;
  /** All of it is there, so far as a client of its version can tell. */
  whole: boolean;
}

/**
 * What a careful client makes of what it received: one response after the other.
 *
 * @param ended how the connection ended, where nothing else marks the end of a body
 */
export function readResponses(received: string, ended: 'in-order' | 'reset'): ReadResponse[] {
  const responses: ReadResponse[] = [];
  let rest = received;
  while (rest !== '') {
    const head = /^HTTP\/1\.1 (\d{3}) [\s\S]*?\r\n\r\n/.exec(rest);
    if (head === null) return [...responses, { status: 0, body: rest, whole: false }];
    rest = rest.slice(head[0].length);
    const status = Number(head[1]);
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head[0])?.[1];
    if (status < 200) {
      responses.push({ status, body: '', whole: true });
    } else if (length !== undefined) {
      const body = rest.slice(0, Number(length));
      responses.push({ status, body, whole: body.length === Number(length) });
      rest = rest.slice(body.length);
    } else if (/\r\ntransfer-encoding: chunked\r\n/i.test(head[0])) {
      const { body, used } = readChunks(rest);
      responses.push({ status, body, whole: used !== null });
      rest = used === null ? '' : rest.slice(used);
    } else {
      responses.push({ status, body: rest, whole: ended === 'in-order' });
      rest = '';
    }
  }
  return responses;
}

/** @returns `used` null when the last chunk or the end of the trailers is missing */
function readChunks(text: string): { body: string; used: number | null } {
  const size = /([0-9a-f]+)\r\n/y;
  let body = '';
  for (;;) {
    const match = size.exec(text);
    if (match === null) return { body, used: null };
    const sizeBytes = Number.parseInt(match[1] ?? '', 16);
    if (sizeBytes === 0) {
      const end = /(?:[^\r\n]+\r\n)*\r\n/y;
      end.lastIndex = size.lastIndex;
      return { body, used: end.test(text) ? end.lastIndex : null };
    }
    body += text.slice(size.lastIndex, size.lastIndex + sizeBytes);
    size.lastIndex += sizeBytes + 2;
  }
}
