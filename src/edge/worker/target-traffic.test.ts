import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { quantile } from '../../kernel/histogram.ts';
import type { TargetTraffic } from '../../model/target.ts';
import {
  health,
  httpOrigin,
  rawOrigin,
  recordingOrigin,
  settled,
  snapshot,
  type TestEdge,
  testEdge,
} from './edge.fixture.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';

const trafficOf = (edge: TestEdge): TargetTraffic[] =>
  edge.worker.report(null, 'changes-and-traffic').traffic ?? [];

const countsOf = (edge: TestEdge) =>
  trafficOf(edge).map(({ id, requests, appErrors, failures }) => [
    id,
    requests,
    appErrors,
    failures,
  ]);

describe('what has passed through a target', () => {
  it('is counted with its errors, its failures and its latency', async () => {
    const good = await recordingOrigin();
    const bad = await httpOrigin((_, response) => response.writeHead(500).end());
    const broken = await rawOrigin((socket) => socket.end());
    const edge = await testEdge([good, bad, broken].map(({ port }) => ({ port })));
    await edge.say(POST.repeat(6));
    expect(countsOf(edge)).toEqual([
      ['i-0', 2, 0, 0],
      ['i-1', 2, 2, 0],
      ['i-2', 2, 0, 2],
    ]);
    for (const { latency } of trafficOf(edge)) expect(quantile(latency, 1)).toBeGreaterThan(0);
  });

  it('is told when it is asked for, and with everything', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }, { port: app.port }]);
    await edge.say(GET);
    expect(edge.worker.report(null, 'changes')).not.toHaveProperty('traffic');
    const told = [{ requests: 1, appErrors: 0, failures: 0 }];
    expect(edge.worker.report(null, 'everything').traffic).toMatchObject(told);
    expect(trafficOf(edge)).toMatchObject(told);
  });

  it('goes along with a target that moves to another port, and begins anew with one that left', async () => {
    const app = await recordingOrigin();
    const next = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    const move = (number: number, targets: readonly { port: number }[]) => {
      edge.worker.apply(snapshot({ number, targets }));
      edge.worker.updateHealth([health('i-0', 'healthy')]);
    };
    await edge.say(GET.repeat(2));
    move(2, [{ port: next.port }]);
    await edge.say(GET);
    expect(next.seen).toHaveLength(1);
    expect(countsOf(edge)).toEqual([['i-0', 3, 0, 0]]);
    move(3, []);
    trafficOf(edge);
    move(4, [{ port: app.port }]);
    await edge.say(GET);
    expect(countsOf(edge)).toEqual([['i-0', 1, 0, 0]]);
  });

  it('has an upgraded connection when it has ended, without a latency', async () => {
    const app = await recordingOrigin();
    new WebSocketServer({ server: app.server as never });
    const edge = await testEdge([{ port: app.port }]);
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/`);
    await once(socket, 'open');
    expect(trafficOf(edge)).toEqual([]);
    socket.close();
    while (trafficOf(edge).length === 0) await settled(1);
    expect(trafficOf(edge)).toMatchObject([{ requests: 1, failures: 0, latency: [] }]);
  });
});
