import type { Outcome } from '../../model/ledger.ts';
import { answerText } from '../http/answer.ts';
import type { Refusal } from '../http/refusal.ts';
import { EDGE } from './witness.fixture.ts';

/** One row of the tables of raw inputs. */
export interface RequestCase {
  name: string;
  /** What goes in, byte for byte. */
  input: string;
  /** What comes out to the client, answer by answer, byte for byte but for Connection. */
  client: readonly (string | Refusal)[];
  /** What goes up to the app, byte for byte; the lines that the edge adds stand as `<edge>`. */
  origin: string;
  /** The app gets no more than a beginning of this, because the client broke the body off. */
  brokenOff?: true;
  /** What the app answers to every head, at once; else `ok` to whole requests, on Node's parser. */
  answer?: string;
  /** The refusal in place of that, when it comes a byte at a time. */
  earlier?: Refusal;
  /** The client keeps its side open, and the edge ends the connection. */
  edgeCloses?: true;
  outcomes: Partial<Record<Outcome, number>>;
}

/** Small, so that rows can go beyond them. */
export const ROW_LIMITS = { headBytes: 4_096, targetBytes: 512, fields: 20 };
export const ROW_BODY_BYTES = 1_000;

export const H = 'Host: a.localhost\r\n';
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
export const OK_HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

// — what goes in —

export const get = (fields: string, target = '/', version = '1.1') =>
  `GET ${target} HTTP/${version}\r\n${fields}\r\n`;
export const post = (fields: string, body: string) =>
  `POST /p HTTP/1.1\r\n${H}${fields}\r\n${body}`;
export const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);

// — what goes up —

/** A request as the app gets it. @param fields those of the client that travel on */
export const up = (line: string, fields = H, body = '') =>
  `${line} HTTP/1.1\r\n${fields}${EDGE}\r\n${body}`;
export const upChunked = (body: string, fields = H, line = 'POST /p') =>
  `${line} HTTP/1.1\r\n${fields}${EDGE}Transfer-Encoding: chunked\r\n\r\n${body}`;

// — rows —

/** Every request passes, in order, and is answered `ok`. */
export const passes = (name: string, input: string, ...origin: string[]): RequestCase => ({
  name,
  input,
  client: origin.map(() => OK),
  origin: origin.join(''),
  outcomes: { ok: origin.length },
});

/** The app answers this, and the client gets it. */
export const answered = (
  name: string,
  answer: string,
  input: string,
  ...origin: string[]
): RequestCase => ({
  ...passes(name, input, ...origin),
  client: origin.map(() => answer),
  answer,
});

/** Nothing goes up; the edge answers, and closes without being asked to. */
export const refused = (name: string, input: string, refusal: Refusal): RequestCase => ({
  name,
  input,
  client: [refusal],
  origin: '',
  edgeCloses: true,
  outcomes: { refused: 1 },
});

/** The head was good and may have gone up, with as much of the body as was; never its end. */
export const brokenOff = (
  name: string,
  input: string,
  refusal: Refusal,
  origin: string,
): RequestCase => ({ ...refused(name, input, refusal), origin, brokenOff: true });

/** The connection closes without an answer, because no request ever came. */
export const silent = (name: string, input: string): RequestCase => ({
  name,
  input,
  client: [],
  origin: '',
  outcomes: {},
});

/** A pattern for all that a client must have received, `Connection` lines removed. */
export function clientPattern(client: RequestCase['client']): RegExp {
  const parts = client.map((part) =>
    typeof part === 'string' ? escaped(part) : refusalPattern(part),
  );
  return new RegExp(`^${parts.join('')}$`);
}

/** Exactly one answer of the edge's own, which says why. */
function refusalPattern({ status, detail }: Refusal): string {
  const text = answerText({ status, text: '<text>', fields: '<fields>', close: true });
  return escaped(withoutConnection(text))
    .replace(/Content-Length: \d+/, 'Content-Length: \\d+')
    .replace('<fields>', '(?:[A-Za-z-]+: [^\\r]+\\r\\n)*')
    .replace('<text>', `[^\\n]*${escaped(detail)}[^\\n]*`);
}

export const withoutConnection = (text: string): string =>
  text.replaceAll(/Connection: (?:close|keep-alive)\r\n/g, '');

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
