import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { acceptedRequests } from './accepted-requests.fixture.ts';
import { testEdge } from './edge.fixture.ts';
import { refusedRequests } from './refused-requests.fixture.ts';
import {
  clientPattern,
  type RequestCase,
  ROW_BODY_BYTES,
  ROW_LIMITS,
  withoutConnection,
} from './request-case.fixture.ts';
import { requestsWithBodies } from './requests-with-bodies.fixture.ts';
import { joinChunks, named, parsingWitness, scriptedWitness } from './witness.fixture.ts';

/**
 * The table of raw inputs: what goes in, byte for byte; what the client gets; what the app receives;
 * how the ledger has it. Sent whole, and a byte at a time.
 */
const cases = [...acceptedRequests, ...requestsWithBodies, ...refusedRequests];
const FEWEST_ROWS = 290;
/** A whole run of longer ones, a byte at a time, says nothing more. */
const MAX_BYTES_ONE_BY_ONE = 400;

async function appAndEdge({ answer }: RequestCase) {
  const parsing = answer === undefined ? await parsingWitness() : null;
  const app = parsing ?? (await scriptedWitness(answer ?? ''));
  const edge = await testEdge([{ port: app.port }], {
    limits: ROW_LIMITS,
    rule: { admission: { ...DEFAULT_TRAFFIC.admission, requestBodyBytes: ROW_BODY_BYTES } },
  });
  return { app, parsing, edge };
}

async function run(testCase: RequestCase, pieces: readonly Buffer[]): Promise<string> {
  const { client, origin, brokenOff, edgeCloses, outcomes } = testCase;
  const { app, parsing, edge } = await appAndEdge(testCase);
  const raw = edge.connect();
  raw.socket.setNoDelay(true);
  await once(raw.socket, 'connect');
  for (const piece of pieces) {
    if (!raw.socket.writable) break;
    raw.socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!edgeCloses) raw.socket.end();
  expect(withoutConnection(await raw.closed)).toMatch(clientPattern(client));
  expect(edge.outcomes()).toEqual(outcomes);
  if (brokenOff) {
    // What the app gets of it depends on when the edge saw that it was bad; it is never an end.
    expect(joinChunks(origin).startsWith(joinChunks(named(app)))).toBe(true);
    expect(parsing?.seen.length ?? 0).toBe(outcomes.ok ?? 0);
  } else if (parsing !== null) {
    expect(parsing.seen.length).toBe(outcomes.ok ?? 0);
    expect(parsing.complaints).toEqual([]);
  }
  return named(app);
}

describe('request framing', () => {
  it('has a table that does not shrink, each of its raw inputs its own', () => {
    expect(cases.length).toBeGreaterThanOrEqual(FEWEST_ROWS);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    const said = cases.map(({ input, answer, edgeCloses }) => `${answer} ${edgeCloses} ${input}`);
    expect(new Set(said).size).toBe(cases.length);
  });

  it.each(cases)('$name', async (testCase) => {
    const received = await run(testCase, [Buffer.from(testCase.input, 'latin1')]);
    if (!testCase.brokenOff) expect(received).toBe(testCase.origin);
  });

  const short = cases.filter(({ input }) => input.length <= MAX_BYTES_ONE_BY_ONE);
  it.each(short)('$name, a byte at a time', async (testCase) => {
    const bytes = [...Buffer.from(testCase.input, 'latin1')].map((byte) => Buffer.of(byte));
    const { client, earlier } = testCase;
    const received = await run({ ...testCase, client: earlier ? [earlier] : client }, bytes);
    if (!testCase.brokenOff) expect(joinChunks(received)).toBe(joinChunks(testCase.origin));
  });
});
