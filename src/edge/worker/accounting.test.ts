import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomHex } from '../../kernel/random.ts';
import { type Outcome, outcomes, statusClasses } from '../../model/ledger.ts';
import { httpOrigin, rawOrigin, recordingOrigin, settled, testEdge } from './edge.fixture.ts';

const RUNS = process.env.BELAY_NIGHTLY ? 2_000 : 150;
const SEED = process.env.BELAY_SEED ?? randomHex(8);
const seed = Number.parseInt(SEED, 16) | 0;
console.log(`clients by BELAY_SEED=${SEED}`);

type Edge = Awaited<ReturnType<typeof testEdge>>;

const endedIn = (edge: Edge): number =>
  edge.worker
    .report(null, 'everything')
    .rows.reduce(
      (sum, row) => sum + outcomes.reduce((n, outcome) => n + row.outcomes[outcome], 0),
      0,
    );

function expectBalance(edge: Edge): void {
  const report = edge.worker.report(null, 'everything');
  expect(report.accepted).toBe(endedIn(edge) + report.inFlight);
  const inside = report.targets.reduce((sum, target) => sum + target.inFlight + target.tunnels, 0);
  expect(inside).toBeLessThanOrEqual(report.inFlight);
  for (const row of report.rows) {
    for (const outcome of outcomes) {
      const answered = statusClasses.reduce(
        (sum, statusClass) => sum + (row.answers[`${outcome} ${statusClass}`] ?? 0),
        0,
      );
      const ended = row.outcomes[outcome];
      expect(answered).toBeLessThanOrEqual(ended);
      if (ALWAYS_ANSWERED.has(outcome)) expect(answered).toBe(ended);
    }
  }
}

const ALWAYS_ANSWERED: ReadonlySet<Outcome> = new Set([
  'ok',
  'app-error',
  'shed',
  'fixed',
  'refused',
]);

/** What clients of all sorts send, whole or in part. */
const requests = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /cut HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi',
  'GET /half HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /error HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n',
  `PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`,
  'GET / HTTP/1.0\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GARBAGE\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\n',
];

const odd = fc.record({
  requests: fc.array(fc.constantFrom(...requests), { minLength: 1, maxLength: 6 }),
  keptPercent: fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 99 })),
  ending: fc.constantFrom('half-close', 'reset', 'destroy'),
  pieces: fc.integer({ min: 1, max: 4 }),
});

describe('the account', () => {
  it('has every request end exactly once, in a storm of odd clients', async () => {
    const app = await httpOrigin((request, response) => {
      request.resume();
      if (request.url === '/cut') request.socket.destroy();
      else if (request.url === '/half') {
        response.writeHead(200, { 'Content-Length': 10 });
        response.write('half', () => request.socket.destroy());
      } else if (request.url === '/error') response.writeHead(500).end('no');
      else if (request.url === '/slow') void settled(30).then(() => response.end('slow'));
      else response.end('x'.repeat(20_000));
    });
    const edge = await testEdge([{ port: app.port }, { port: 1 }], { limits: { lingerMs: 100 } });
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { minLength: 1, maxLength: 8 }), async (clients) => {
        await Promise.all(
          clients.map(async (plan) => {
            const bytes = Buffer.from(plan.requests.join(''), 'latin1');
            const kept = bytes.subarray(0, Math.ceil((bytes.length * plan.keptPercent) / 100));
            const client = edge.connect();
            await once(client.socket, 'connect');
            const step = Math.ceil(kept.length / plan.pieces) || 1;
            for (let at = 0; at < kept.length; at += step) {
              client.socket.write(kept.subarray(at, at + step));
              await settled(2);
            }
            if (plan.ending === 'half-close') client.socket.end();
            else if (plan.ending === 'reset') client.socket.resetAndDestroy();
            else client.socket.destroy();
            expectBalance(edge);
            await client.closed;
          }),
        );
        expectBalance(edge);
      }),
      { numRuns: RUNS, seed },
    );
    while (edge.worker.report(null, 'everything').inFlight > 0) await settled(1);
    expectBalance(edge);
    expect(endedIn(edge)).toBeGreaterThan(100);
  }, 60_000);

  it('never accepts above the ceiling it has said, however fast requests come', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    const fifty = () => edge.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
    for (let i = 0; i < 8; i += 1) {
      await fifty();
      expect(edge.ceilings.at(-1)).toBeGreaterThanOrEqual(50 * (i + 1));
    }
    // Each twice the one before, and small again when a report has come between.
    expect(edge.ceilings).toEqual([64, 192, 448]);
    edge.worker.report(null, 'changes');
    await fifty();
    expect(edge.ceilings.at(-1)).toBe(512);
    expect(edge.worker.ceiling).toBe(512);
  });

  it('is by pool and zone, with a latency for each', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([
      { port: app.port, zone: 'a' },
      { port: app.port, zone: 'b' },
    ]);
    await edge.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4));
    const rows = edge.worker.report(null, 'changes').rows.filter((row) => row.zone !== null);
    expect(rows.map((row) => [row.zone, row.release, row.outcomes.ok])).toEqual([
      ['a', 1, 2],
      ['b', 1, 2],
    ]);
    for (const { latency } of rows) expect((latency[1] ?? 0) + (latency[3] ?? 0)).toBe(2);
    expect(edge.worker.report(null, 'changes').rows).toEqual([]);
  });
});

/** Bytes that nearly make requests: what parsers disagree about. */
const fragment = fc.constantFrom(
  ...[
    'GET ',
    'POST ',
    '/',
    '/a',
    '/b?c',
    'http://a/',
    ' HTTP/1.1',
    ' HTTP/1.0',
    '\r\n',
    '\r\n',
    '\r\n',
  ],
  ...['\n', '\r', ' ', '\t', '\0', ':', ';', ',', '0', '5', 'A', '\r\n\r\n', '\r\n\r\n'],
  ...['Host: a\r\n', 'Host: b\r\n', 'Content-Length: 5\r\n', 'Content-Length: 0\r\n'],
  ...['Content-Length : 5\r\n', 'Content-Length: +5\r\n', 'content-length:\t5\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: xchunked\r\n',
    'transfer-encoding:\x0bchunked\r\n',
  ],
  ...['Connection: close\r\n', 'Connection: content-length\r\n', 'Expect: 100-continue\r\n'],
  ...[
    'hello',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    '0\r\n',
    '5;a\r\nhello\r\n',
    'X: y\r\n',
    ' z\r\n',
    'X_Y: z\r\n',
  ],
  ...[
    'GET / HTTP/1.1\r\nHost: a\r\n',
    'POST /p HTTP/1.1\r\nHost: a\r\n',
    'GET /n HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
);

describe('smuggling', () => {
  it('is not possible: an app on another parser sees only requests that were counted', async () => {
    const app = await recordingOrigin();
    const accepted: string[] = [];
    const edge = await testEdge([{ port: app.port }], { limits: { bodyProgressMs: 500 } });
    await fc.assert(
      fc.asyncProperty(fc.array(fragment, { minLength: 1, maxLength: 16 }), async (fragments) => {
        const before = edge.worker.report(null, 'everything').accepted;
        app.seen.length = 0;
        await edge.say(Buffer.from(fragments.join(''), 'latin1'));
        const after = edge.worker.report(null, 'everything').accepted;
        accepted.push(...app.seen.map(({ url }) => url));
        expect(app.seen.length).toBeLessThanOrEqual(after - before);
        for (const { method, url, headers } of app.seen) {
          const asked = fragments.join('').replaceAll('http://a/', '/');
          expect(asked).toContain(`${method} ${url}`);
          expect(
            headers['transfer-encoding'] === undefined || headers['content-length'] === undefined,
          ).toBe(true);
          expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}-/);
        }
      }),
      { numRuns: RUNS * 10, seed },
    );
    expect(accepted.length).toBeGreaterThan(10);
  }, 60_000);

  it('does not happen through what an app answers', async () => {
    const app = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    });
    const edge = await testEdge([{ port: app.port }]);
    expect(await edge.say('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2))).not.toContain('evil');
    expect(edge.outcomes()).toEqual({ lost: 2 });
  });
});
