import {
  KNOWN_METHODS,
  NodeParser,
  type Parsed,
  type ParsedMessage,
} from './node-parser.fixture.ts';
import type { Onward, OnwardRequest } from './onward.fixture.ts';

/** Whether two parsers read the same requests: Node's, and ours with what it would send on. */

const parser = new NodeParser('request');

interface ListedDifference {
  reason: string;
  isIt: (asked: Parsed, request: OnwardRequest, bytes: Buffer) => boolean;
  /** How often it was met. */
  count: number;
}

/** Where Node's parser stops and ours goes on. There are no others. */
export const LISTED_DIFFERENCES: readonly ListedDifference[] = [
  {
    reason: 'Node knows a list of methods; any token is one (RFC 9110 section 9.1)',
    isIt: (asked, { head }) =>
      asked.error === 'HPE_INVALID_METHOD' && !KNOWN_METHODS.has(head.method),
    count: 0,
  },
  {
    reason:
      'Node takes a keep-alive with two blanks before it for none, and expects nothing behind ' +
      'that request; where it ends, it is of our mind',
    isIt: (asked) => asked.error === 'HPE_CLOSED_CONNECTION',
    count: 0,
  },
  {
    reason:
      'Node takes no tab behind "chunked"; white space around a value is no part of it (RFC 9110 ' +
      'section 5.5), and it does not go up',
    isIt: (asked, _, bytes) =>
      asked.error === 'HPE_INVALID_TRANSFER_ENCODING' &&
      /^transfer-encoding:[\t ]*chunked *\t[\t ]*\r$/im.test(bytes.toString('latin1')),
    count: 0,
  },
];

/**
 * Compares what Node's parser makes of a client's bytes with what it makes of what the edge sends up
 * for them. Null when each request the edge takes is the same request in both; else what differs.
 */
export function differenceIn(bytes: Buffer, made: Onward): string | null {
  const [first] = made.requests;
  if (first === undefined) return null;
  const asked = parser.read(withKnownMethod(bytes, first));
  for (const [index, request] of made.requests.entries()) {
    const there = asked.messages[index];
    const difference = differs(asked, there, request, made);
    const listed =
      difference !== null && LISTED_DIFFERENCES.find(({ isIt }) => isIt(asked, request, bytes));
    const upstream = differsUpstream(listed ? undefined : there, request);
    if (difference !== null && !listed) return `request ${index}: ${difference}`;
    if (upstream !== null) return `request ${index}: ${upstream}`;
    if (!listed) continue;
    // It has nothing to compare what comes behind with.
    listed.count += 1;
    return null;
  }
  return null;
}

/** Of a method that Node's parser does not know, it is shown another in its place. */
function withKnownMethod(bytes: Buffer, { head: { method } }: OnwardRequest): Buffer {
  if (KNOWN_METHODS.has(method)) return bytes;
  const text = bytes.toString('latin1');
  return Buffer.from(text.replace(method, 'POST'), 'latin1');
}

const knownMethod = (method: string): string => (KNOWN_METHODS.has(method) ? method : 'POST');

function differs(
  asked: Parsed,
  there: ParsedMessage | undefined,
  { head, whole }: OnwardRequest,
  made: Onward,
): string | null {
  if (there === undefined) return `only we read it; Node says ${asked.error}`;
  const method = knownMethod(head.method);
  if (there.method !== method) return `Node reads method ${there.method}, we ${method}`;
  const target = originForm(there);
  if (target !== head.target) return `Node reads target ${target}, we ${head.target}`;
  // Whatever else it says is answered here and read no further.
  if (head.target === '*') return null;
  if (whole && !there.complete) return `only we see its end; Node says ${asked.error}`;
  // Unless we refused what stands before it.
  if (there.complete && !whole && made.refusal === null) return 'only Node sees its end';
  return null;
}

/**
 * What goes up must be one request, and the one that was asked for.
 *
 * @param there undefined where Node's parser did not read it
 */
function differsUpstream(
  there: ParsedMessage | undefined,
  { head, sent, whole }: OnwardRequest,
): string | null {
  if (head.target === '*') return null;
  const method = knownMethod(head.method);
  const shown = sent.replace(head.method, () => method);
  const { messages, error } = parser.read(Buffer.from(shown, 'latin1'));
  const [arrived, ...others] = messages;
  if (others.length > 0) return `it becomes ${messages.length} requests`;
  if (error !== null) return `what goes up is no request: ${error}`;
  if (arrived?.complete !== whole) return `what goes up is ${whole ? 'not ' : ''}whole`;
  if (arrived.method !== method || arrived.target !== head.target) {
    return `what goes up is ${arrived.method} ${arrived.target}`;
  }
  if (there === undefined) return null;
  if (whole && arrived.body !== there.body) return 'what goes up has another body';
  return madeUp(arrived.fields, there.fields) ?? madeUp(arrived.trailers, there.trailers);
}

/** Lines the edge adds, or says in its own words. */
const OWN_LINES = new Set(['host', 'x-request-id', 'transfer-encoding', 'connection', 'upgrade']);

/** A line that goes up and never came. */
function madeUp(arrived: readonly string[], asked: readonly string[]): string | null {
  for (let i = 0; i < arrived.length; i += 2) {
    const name = arrived[i]?.toLowerCase() ?? '';
    if (OWN_LINES.has(name)) continue;
    let isThere = false;
    for (let k = 0; k < asked.length && !isThere; k += 2) {
      isThere = asked[k] === arrived[i] && asked[k + 1] === arrived[i + 1];
    }
    if (!isThere) return `a line was made up: ${arrived[i]}: ${arrived[i + 1]}`;
  }
  return null;
}

function originForm({ target, method }: ParsedMessage): string {
  const authority = /^https?:\/\/[^/?]+/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  if (rest === '' && method === 'OPTIONS') return '*';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
