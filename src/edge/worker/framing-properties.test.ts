import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomHex } from '../../kernel/random.ts';
import { DEFAULT_EDGE_SETTINGS } from '../../model/edge-settings.ts';
import { outcomes } from '../../model/ledger.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { limitsFrom } from '../limits.ts';
import { inStep } from './broken-app.fixture.ts';
import { rawOrigin, settled, type TestEdge, testEdge } from './edge.fixture.ts';
import {
  Dice,
  type Mutation,
  mutated,
  mutatedRequest,
  RIGHT_REQUESTS,
} from './mutated-requests.fixture.ts';
import { KNOWN_METHODS, NodeParser, type ParsedMessage } from './node-parser.fixture.ts';
import { onward } from './onward.fixture.ts';
import { differenceIn, LISTED_DIFFERENCES } from './same-reading.fixture.ts';
import { type ParsingWitness, parsingWitness } from './witness.fixture.ts';

/**
 * Whatever bytes go in: what the app receives is, to Node's own parser, what the client asked for;
 * one request in never becomes two out; and the edge knows of all of them.
 */

const NIGHTLY = Boolean(process.env.BELAY_NIGHTLY);
const SEED = process.env.BELAY_SEED ?? randomHex(8);
const seed = Number.parseInt(SEED, 16) | 0;
console.log(`bytes by BELAY_SEED=${SEED}`);

const limits = limitsFrom(DEFAULT_EDGE_SETTINGS);
const MOST_BODY_BYTES = DEFAULT_TRAFFIC.admission.requestBodyBytes;

// — nearly valid requests —

const fieldLine = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('X-A: b', 'Accept: */*', 'Cookie: a=b; c=d', 'X-B:') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['Connection: close', 'Connection: keep-alive', 'Connection: x-a, Upgrade'],
      ...['Upgrade: websocket', 'Upgrade: h2c', 'TE: trailers', 'X-Forwarded-For: 1', 'X_A: b'],
      ...['Expect: 100-continue', 'Connection: content-length, host', 'X-A: \xeb\t\x80'],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['Content-Length: 5', 'Content-Length:\t5 ', 'content-length: 05', 'Content-Length: +5'],
      ...['Transfer-Encoding: chunked', 'transfer-encoding:  Chunked', 'Transfer-Encoding: x'],
      ...['Host: b', 'X-A : b', 'X-A: b\r\n c', 'X-A: b\rc', 'X-A: \0', 'X-A'],
    ),
  },
);

const text = fc.string({ unit: fc.constantFrom(...'ab0\r\n :;\0\xff'), maxLength: 40 });
const bodyLines = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ lines: [] as string[], body: '' }) },
  {
    weight: 2,
    arbitrary: text.map((body) => ({ lines: [`Content-Length: ${body.length}`], body })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        chunks: fc.array(text, { maxLength: 4 }),
        extension: fc.constantFrom('', '', ';a', ';a=b', '; a="b;c"', ' ;a'),
        trailers: fc.constantFrom('', '', 'X-Sum: 1\r\n', 'X_A: 1\r\nX-Sum: 2\r\n', 'Host: b\r\n'),
      })
      .map(({ chunks, extension, trailers }) => ({
        lines: ['Transfer-Encoding: chunked'],
        body: [...chunks.filter((chunk) => chunk !== ''), '']
          .map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}`)
          .map((chunk, i, all) => chunk + (i === all.length - 1 ? `${trailers}\r\n` : '\r\n'))
          .join(''),
      })),
  },
);

const request = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'PROPFIND', 'X!'),
    target: fc.constantFrom('/', '/a?b=c', '/a?b=c', '//b', 'http://a/x', 'HTTP://A?y', '*'),
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    fields: fc.array(fieldLine, { maxLength: 5 }),
    framed: bodyLines,
    host: fc.nat(5),
  })
  .map(({ method, target, version, fields, framed, host }) => {
    const lines = [...fields, ...framed.lines];
    lines.splice(host, 0, 'Host: a');
    return `${method} ${target} HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n${framed.body}`;
  });

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.nat(1_000),
  at: fc.nat(1_000),
  what: fc.nat(10_000),
});

const bytesIn = fc
  .record({
    requests: fc.oneof(
      fc.array(request, { minLength: 1, maxLength: 3 }),
      fc.array(fc.constantFrom(...RIGHT_REQUESTS), { minLength: 1, maxLength: 1 }),
    ),
    mutations: fc.array(mutation, { maxLength: 3 }),
  })
  .map(({ requests, mutations }) =>
    Buffer.from(mutations.reduce(mutated, requests.join('')), 'latin1'),
  );

// — through the worker —

/** What Node's parser says of requests of which the edge could send no more than a beginning. */
const BROKEN_OFF = ['HPE_INVALID_EOF_STATE', 'ECONNRESET'];
/** And of methods it does not know. */
const UNKNOWN_METHOD = 'HPE_INVALID_METHOD';

/** As `say` of the fixture, but leaves nothing to hold until the end of the test. */
function say(edge: TestEdge, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ port: edge.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.end(bytes);
  });
}

/** Sends the bytes through a worker, and compares what comes out of it with what must. */
async function expectSame(edge: TestEdge, app: ParsingWitness, bytes: Buffer): Promise<void> {
  const made = onward([bytes], limits, MOST_BODY_BYTES);
  expect(differenceIn(bytes, made)).toBeNull();

  const before = edge.worker.report(null, 'everything').accepted;
  app.seen.length = 0;
  app.bytes = '';
  await say(edge, bytes);
  const { accepted, inFlight, rows } = edge.worker.report(null, 'everything');

  const whole = made.requests.filter(({ head, whole }) => whole && head.target !== '*');
  const known = whole.filter(({ head }) => KNOWN_METHODS.has(head.method));
  expect(app.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(
    known.map(({ head }) => `${head.method} ${head.target}`),
  );
  const parsed = known.map(({ sent }) => parser.read(Buffer.from(sent, 'latin1')).messages[0]);
  expect(app.seen.map(({ body }) => body)).toEqual(parsed.map((message) => message?.body));
  for (const { headers } of app.seen) expect(headers['x-forwarded-for']).toBe('127.0.0.1');

  const refusedAtHead = made.refusal !== null && made.requests.every((each) => each.whole);
  expect(accepted - before).toBe(made.requests.length + (refusedAtHead ? 1 : 0));
  expect(app.begun).toBeLessThanOrEqual(accepted);
  expect(inFlight).toBe(0);
  const ended = rows.flatMap((row) => outcomes.map((outcome) => row.outcomes[outcome]));
  expect(ended.reduce((sum, count) => sum + count, 0)).toBe(accepted);
  const complaints = app.complaints.filter((code) => !BROKEN_OFF.includes(code));
  expect(new Set([...complaints, UNKNOWN_METHOD])).toEqual(new Set([UNKNOWN_METHOD]));
}

const parser = new NodeParser('request');

describe('whatever bytes go in', () => {
  it('the app receives the requests that were asked for, and no others', async () => {
    const app = await parsingWitness();
    const edge = await testEdge([{ port: app.port }]);
    await fc.assert(
      fc.asyncProperty(bytesIn, (bytes) => expectSame(edge, app, bytes)),
      { numRuns: NIGHTLY ? 20_000 : 1_000, seed },
    );
    expect(app.begun).toBeGreaterThan(300);
  }, 120_000);

  it('it makes no difference how they are cut', () => {
    const cuts = fc.array(fc.nat(200), { maxLength: 6 });
    fc.assert(
      fc.property(bytesIn, cuts, (bytes, at) => {
        const pieces = [0, ...at.toSorted((a, b) => a - b), bytes.length];
        const cut = pieces.slice(1).map((end, i) => bytes.subarray(pieces[i], end));
        const read = (parts: readonly Buffer[]) => {
          const { requests, refusal } = onward(parts, limits, MOST_BODY_BYTES);
          const heads = requests.map(({ head, whole }) => [head, whole]);
          // Of several faults, that which is found first is told.
          return { heads, refused: refusal !== null };
        };
        expect(read(cut.filter((piece) => piece.length > 0))).toEqual(read([bytes]));
      }),
      { numRuns: NIGHTLY ? 200_000 : 5_000, seed },
    );
  }, 120_000);

  it('of mutated heads, none is read otherwise than by Node', () => {
    const dice = new Dice(seed);
    for (let i = 0; i < 50_000; i += 1) expectNoDifference(mutatedRequest(dice));
  });

  it.each([
    'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\nX: y\r\n\r\n',
  ])('nor with any byte in any place of %j', (right) => {
    for (let at = 0; at <= right.length; at += 1) {
      for (let code = 0; code <= 0xff; code += 1) {
        const byte = String.fromCharCode(code);
        expectNoDifference(right.slice(0, at) + byte + right.slice(at));
        expectNoDifference(right.slice(0, at) + byte + right.slice(at + 1));
      }
    }
  });
});

function expectNoDifference(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const difference = differenceIn(bytes, onward([bytes], limits, MOST_BODY_BYTES));
  if (difference !== null) {
    expect.fail(`${JSON.stringify(text)}: ${difference}`);
  }
  return bytes;
}

/** An app answers `/case` with these bytes and closes; the client asks for `/after` behind it. */
const RIGHT_RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
];

describe('whatever an app answers', () => {
  const answer = fc
    .record({
      response: fc.constantFrom(...RIGHT_RESPONSES),
      mutations: fc.array(mutation, { maxLength: 4 }),
    })
    .map(({ response, mutations }) => mutations.reduce(mutated, response));

  it('the client gets one answer to each request, or sees that the first is broken', async () => {
    const responses = new NodeParser('response');
    let bytes = '';
    const app = await rawOrigin((socket, asked) => {
      if (asked.startsWith('GET /case')) socket.end(Buffer.from(bytes, 'latin1'));
      else socket.write(inStep('/after'));
    });
    const noEjection = { balancing: { ...DEFAULT_TRAFFIC.balancing, ejection: null } };
    const edge = await testEdge([{ port: app.port }], { pool: noEjection });
    const asking = Buffer.from(
      'GET /case HTTP/1.1\r\nHost: a\r\n\r\nGET /after HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    await fc.assert(
      fc.asyncProperty(answer, async (text) => {
        bytes = text;
        const received = await say(edge, asking);
        const { messages, error } = responses.readToEnd(Buffer.from(received, 'latin1'));
        const [first, second, ...more] = messages.filter(({ status }) => status >= 200);
        expect(more).toEqual([]);
        if (second === undefined) {
          expect(first?.complete && error === null).toBe(false);
        } else {
          expect(error).toBeNull();
          expect(first?.complete).toBe(true);
          expect([second.status, second.body]).toEqual([200, '/after']);
        }
        const said = Buffer.from(withoutInterimClose(text), 'latin1');
        expectNodeReads(first, responses.readToEnd(said).messages);
      }),
      { numRuns: NIGHTLY ? 20_000 : 1_000, seed },
    );
    expect(edge.outcomes().ok).toBeGreaterThan(1_000);
  }, 120_000);
});

/**
 * Node's parser reads nothing behind an interim answer that says `close`. It is not the answer that
 * ends the exchange (RFC 9110 section 15.2): whoever waits for that has to read on.
 */
function withoutInterimClose(text: string): string {
  const end = text.indexOf('\r\n\r\n') + 4;
  if (end < 4 || !/^HTTP\/1\.[01] 1/.test(text)) return text;
  const head = text.slice(0, end).replace(/^connection:[^\r\n]*\r\n/gim, '');
  return head + withoutInterimClose(text.slice(end));
}

/** What the client took for the app's answer is what Node's parser takes for it. */
function expectNodeReads(got: ParsedMessage | undefined, said: readonly ParsedMessage[]): void {
  if (got === undefined || got.body.startsWith('The instance ')) return;
  const there = said.find(({ status }) => status >= 200);
  expect(got.status).toBe(there?.status);
  if (got.complete) expect([there?.complete, there?.body]).toEqual([true, got.body]);
  else expect(there?.body.startsWith(got.body)).toBe(true);
}

const HEADS = 10_000_000;
/** One of so many goes through a real worker too. */
const SAMPLED = 1_000;
const LOOK_EVERY = 1_000_000;
const MAX_HEAP_GROWTH_BYTES = 8 * 1024 * 1024;
/** Freed pages stay with the process for as long as its allocator thinks it will need them again. */
const MAX_OUTSIDE_GROWTH_BYTES = 64 * 1024 * 1024;
/** Of one core, whatever else the machine does. */
const MAX_CPU_SECONDS = 240;

describe.skipIf(!NIGHTLY)('ten million mutated heads', () => {
  it('smuggle nothing, crash nothing, and leave nothing in memory', async () => {
    const app = await parsingWitness();
    const edge = await testEdge([{ port: app.port }]);
    const dice = new Dice(seed);
    const begun = process.cpuUsage();
    // As of the first look: by then all code has been compiled, and every pool is filled.
    let settledAt: MemoryHeld | null = null;
    let growthBytes: MemoryHeld = { heap: 0, outside: 0 };
    for (let heads = 1; heads <= HEADS; heads += 1) {
      const bytes = expectNoDifference(mutatedRequest(dice));
      if (heads % SAMPLED === 0) await expectSame(edge, app, bytes);
      if (heads % LOOK_EVERY !== 0) continue;
      const now = await memoryHeld();
      settledAt ??= now;
      growthBytes = { heap: now.heap - settledAt.heap, outside: now.outside - settledAt.outside };
      expect(growthBytes.heap, `after ${heads} heads`).toBeLessThan(MAX_HEAP_GROWTH_BYTES);
      expect(growthBytes.outside, `after ${heads} heads`).toBeLessThan(MAX_OUTSIDE_GROWTH_BYTES);
    }
    const { user, system } = process.cpuUsage(begun);
    const cpuSeconds = Math.round((user + system) / 1e6);
    const listed = LISTED_DIFFERENCES.map(({ count, reason }) => `\n  ${count}: ${reason}`);
    console.log(`${HEADS} heads in ${cpuSeconds} s of a core; listed differences:${listed}`);
    console.log(`memory grew by ${growthBytes.heap} B of heap, ${growthBytes.outside} B outside`);
    expect(cpuSeconds).toBeLessThan(MAX_CPU_SECONDS);
  }, 1_200_000);
});

interface MemoryHeld {
  /** What is alive in V8's heap. */
  heap: number;
  /** Resident and not V8's heap, whose room for young objects grows and shrinks with the load. */
  outside: number;
}

/** After everything that can be collected has been. */
async function memoryHeld(): Promise<MemoryHeld> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await settled();
  collect();
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  return { heap: heapUsed, outside: rss - heapTotal };
}
