import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  type AnswerCounts,
  type LedgerRow,
  outcomes,
  type StatusClass,
  statusClasses,
} from '../../model/ledger.ts';
import { Account, RowCounter } from './account.ts';
import { httpOrigin, rawOrigin, settled, type TestEdge, testEdge } from './edge.fixture.ts';

const answersIn = (rows: readonly LedgerRow[]): AnswerCounts =>
  Object.assign({}, ...rows.map(({ answers }) => answers));

const answersOf = (edge: TestEdge): AnswerCounts =>
  answersIn(edge.worker.report(null, 'everything').rows);

const counted = async (edge: TestEdge): Promise<void> => {
  while (edge.worker.report(null, 'everything').inFlight > 0) await settled(1);
};

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('status classes', () => {
  it('are of what clients were told, by outcome', async () => {
    const app = await httpOrigin((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      response.end();
    });
    const edge = await testEdge([{ port: app.port }]);
    for (const status of [200, 204, 302, 404, 500, 503]) await edge.say(get(`/${status}`));
    await edge.say('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'GARBAGE\r\n\r\n');
    await edge.say('GET / HTTP/3.0\r\nHost: a\r\n\r\n');
    expect(answersOf(edge)).toEqual({
      'ok 2xx': 2,
      'ok 3xx': 1,
      'ok 4xx': 1,
      'app-error 5xx': 2,
      'fixed 2xx': 1,
      'refused 4xx': 1,
      'refused 5xx': 1,
    });
  });

  it('are those of the edge itself where it answers in the place of an app', async () => {
    const app = await rawOrigin((socket) => socket.end());
    const edge = await testEdge([{ port: app.port }]);
    await edge.say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    expect(answersOf(edge)).toEqual({ 'cut 5xx': 1 });
    const none = await testEdge([{ port: 1 }]);
    await none.say(get('/'));
    expect(answersOf(none)).toEqual({ 'lost 5xx': 1 });
    const unknown = await testEdge([], { rule: { hosts: ['b'] } });
    await unknown.say(get('/'));
    expect(answersOf(unknown)).toEqual({ 'fixed 4xx': 1 });
  });

  it('count a response that was broken off by what it began with', async () => {
    const app = await rawOrigin((socket, bytes) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      if (bytes.startsWith('GET /cut')) socket.end();
    });
    const edge = await testEdge([{ port: app.port }]);
    await edge.say(get('/cut'));
    const leaving = edge.connect();
    leaving.socket.write(get('/'));
    await leaving.until(/half/);
    leaving.socket.resetAndDestroy();
    await counted(edge);
    expect(answersOf(edge)).toEqual({ 'cut 2xx': 1, 'client-aborted 2xx': 1 });
  });

  it('count nothing for a client that left before it was answered', async () => {
    const app = await rawOrigin(() => {});
    const edge = await testEdge([{ port: app.port }]);
    const leaving = edge.connect();
    leaving.socket.write(get('/'));
    await once(app.server, 'connection');
    leaving.socket.resetAndDestroy();
    await counted(edge);
    expect(edge.outcomes()).toEqual({ 'client-aborted': 1 });
    expect(answersOf(edge)).toEqual({});
  });

  it('count an upgraded connection as 1xx, when it ends', async () => {
    const app = await httpOrigin((_, response) => response.end());
    new WebSocketServer({ server: app.server as never });
    const edge = await testEdge([{ port: app.port }]);
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/`);
    await once(socket, 'open');
    expect(answersOf(edge)).toEqual({});
    socket.close();
    await counted(edge);
    expect(answersOf(edge)).toEqual({ 'ok 1xx': 1 });
  });

  it('sum to the requests that were answered, in a row and through merging', () => {
    const event = fc.record({
      pool: fc.constantFrom('p', 'q'),
      outcome: fc.constantFrom(...outcomes),
      status: fc.oneof(fc.constant(0), fc.integer({ min: 100, max: 599 })),
    });
    fc.assert(
      fc.property(fc.array(event), fc.nat(), (events, mergedAt) => {
        const account = new Account(() => {});
        for (const [i, { pool, outcome, status }] of events.entries()) {
          const row = account.row({ pool, environment: 'e', release: 1, zone: null });
          account.end(row, outcome, status);
          if (i === mergedAt) account.merge({ pools: new Set([pool]), environments: new Set() });
        }
        const { rows } = account.readRows('everything');
        for (const outcome of outcomes) {
          const ended = events.filter((each) => each.outcome === outcome);
          expect(total(rows.map((row) => row.outcomes[outcome]))).toBe(ended.length);
          const answered = ended.filter(({ status }) => status > 0);
          const answers = (status: StatusClass) =>
            total(rows.map((row) => row.answers[`${outcome} ${status}`] ?? 0));
          expect(total(statusClasses.map(answers))).toBe(answered.length);
        }
      }),
    );
  });

  it('name only what there was', () => {
    const row = new RowCounter({ pool: '', environment: '', release: null, zone: null });
    row.count('shed', 429);
    row.count('lost', 0);
    expect(row.read().answers).toEqual({ 'shed 4xx': 1 });
  });
});

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
