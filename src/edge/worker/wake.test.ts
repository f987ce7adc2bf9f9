import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import type { WakeRule } from '../../model/snapshot.ts';
import {
  health,
  httpOrigin,
  type RawClient,
  rawOrigin,
  recordingOrigin,
  settled,
  snapshot,
  statuses,
  type TestEdge,
  testEdge,
} from './edge.fixture.ts';

const ENVIRONMENT = 'shop/production';
const PROBE = 'GET /healthz?from=afar HTTP/1.1\r\nHost: a\r\n\r\n';
const REQUEST = 'GET /clothes HTTP/1.1\r\nHost: a\r\n\r\n';

const wake = (asleep: boolean): { wake: WakeRule } => ({
  wake: { asleep, probePaths: ['/healthz', '/readyz', '/?health'] },
});

async function edgeOf(ports: readonly number[], asleep = ports.length === 0) {
  const clock = manualClock();
  const targets = ports.map((port) => ({ port }));
  const edge = await testEdge(targets, { clock, rule: wake(asleep) });
  const quietMs = () => edge.worker.report(null, 'changes').quietMs?.[ENVIRONMENT];
  const wanted = () => edge.worker.report(null, 'changes').wanted;
  return Object.assign(edge, { clock, quietMs, wanted });
}

/** The next snapshot: these serve, or nobody does. */
function route(edge: TestEdge, number: number, ports: readonly number[], asleep: boolean): void {
  const rules = snapshot().rules.map((rule) => ({ ...rule, ...wake(asleep) }));
  const targets = ports.map((port) => ({ port }));
  edge.worker.apply(snapshot({ number, rules, targets }));
  edge.worker.updateHealth(ports.map((_, i) => health(`i-${i}`, 'healthy')));
}

async function sent(edge: TestEdge, request: string): Promise<RawClient> {
  const client = edge.connect();
  const accepted = () => edge.worker.report(null, 'changes').accepted;
  const before = accepted();
  client.socket.write(request);
  while (accepted() === before) await settled(1);
  return client;
}

describe('requests to an environment that is asleep', () => {
  it('are told of once, wait, and are all served when somebody is there', async () => {
    const edge = await edgeOf([]);
    const clients = [await sent(edge, REQUEST), await sent(edge, REQUEST)];
    expect(edge.wanted()).toEqual([ENVIRONMENT]);
    expect(edge.wantedTold).toBe(1);
    const app = await recordingOrigin();
    route(edge, 2, [app.port], false);
    for (const client of clients) expect(statuses(await client.until(/ok$/))).toEqual([200]);
    expect(edge.wanted()).toEqual([]);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });

  it('are replayed with the whole of a body that had not all come', async () => {
    const edge = await edgeOf([]);
    const body = 'x'.repeat(300_000);
    const head = `POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    const client = await sent(edge, head + body.slice(0, 100_000));
    const app = await recordingOrigin();
    route(edge, 2, [app.port], false);
    client.socket.write(body.slice(100_000));
    await client.until(/ok$/);
    expect(app.seen.map((request) => request.body)).toEqual([body]);
  });

  it('want it no more when they have gone', async () => {
    const edge = await edgeOf([]);
    const client = await sent(edge, REQUEST);
    client.socket.resetAndDestroy();
    while (edge.outcomes()['client-aborted'] !== 1) await settled(1);
    await edge.clock.advance(250);
    expect(edge.wanted()).toEqual([]);
  });

  it('want it when it falls asleep under them', async () => {
    const edge = await edgeOf([], false);
    await sent(edge, REQUEST);
    expect(edge.wanted()).toEqual([]);
    route(edge, 2, [], true);
    expect(edge.wanted()).toEqual([ENVIRONMENT]);
  });
});

describe('probes of an environment that is asleep', () => {
  it.each(['GET /healthz', 'HEAD /healthz', 'GET /readyz?deep', 'GET /?health'])(
    '%s is answered by the edge, and wakes nobody',
    async (line) => {
      const edge = await edgeOf([]);
      const answer = await edge.say(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(statuses(answer)).toEqual([200]);
      expect(answer.includes('asleep')).toBe(line.startsWith('GET'));
      expect(edge.wanted()).toEqual([]);
      expect(edge.outcomes()).toEqual({ fixed: 1 });
    },
  );

  it.each(['POST /healthz', 'GET /', 'GET /?other', 'GET /healthz/more'])(
    'are requests like others when they are none: %s',
    async (line) => {
      const edge = await edgeOf([]);
      await sent(edge, `${line} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
      expect(edge.wanted()).toEqual([ENVIRONMENT]);
    },
  );

  it('go to the app while it is awake, and wait with the others until it is', async () => {
    const app = await recordingOrigin();
    const edge = await edgeOf([app.port]);
    expect(await edge.say(PROBE)).toMatch(/ok$/);
    expect(app.seen).toHaveLength(1);
    route(edge, 2, [], false);
    await sent(edge, PROBE);
    expect(edge.wanted()).toEqual([]);
  });
});

describe('how long nobody has wanted an environment', () => {
  it('counts from the moment at which it was first heard of', async () => {
    const edge = await edgeOf([]);
    await edge.clock.advance(5_000);
    expect(edge.quietMs()).toBe(5_000);
    route(edge, 2, [], false);
    expect(edge.quietMs()).toBe(5_000);
  });

  it('is nothing while a request is inside, and counts from its end', async () => {
    let answer: (() => void) | undefined;
    const app = await httpOrigin((_, response) => {
      answer = () => response.end('ok');
    });
    const edge = await edgeOf([app.port]);
    const client = await sent(edge, REQUEST);
    await edge.clock.advance(5_000);
    expect(edge.quietMs()).toBe(0);
    while (!answer) await settled(1);
    answer();
    await client.until(/ok/);
    await edge.clock.advance(700);
    expect(edge.quietMs()).toBe(700);
  });

  it('is nothing while an upgraded connection is open, and counts from its end', async () => {
    const app = await rawOrigin((socket, bytes) => {
      if (!bytes.includes('Upgrade')) return;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
      );
    });
    const edge = await edgeOf([app.port]);
    const client = edge.connect();
    client.socket.write(
      'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    await client.until(/101/);
    await edge.clock.advance(5_000);
    expect(edge.quietMs()).toBe(0);
    client.socket.destroy();
    while (edge.worker.report(null, 'changes').tunnels > 0) await settled(1);
    await edge.clock.advance(700);
    expect(edge.quietMs()).toBe(700);
  });

  it('goes on through probes', async () => {
    const app = await recordingOrigin();
    const edge = await edgeOf([app.port]);
    await edge.clock.advance(5_000);
    expect(statuses(await edge.say(PROBE, PROBE))).toEqual([200, 200]);
    expect(edge.quietMs()).toBe(5_000);
  });

  it('is not told of one that never sleeps', async () => {
    const edge = await testEdge([]);
    expect(edge.worker.report(null, 'everything').quietMs).toEqual({});
  });
});
