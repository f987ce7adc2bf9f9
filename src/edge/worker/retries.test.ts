import { describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { SWEEP_MS } from './deadlines.ts';
import {
  health,
  httpOrigin,
  rawOrigin,
  recordingOrigin,
  settled,
  snapshot,
  statuses,
  testEdge,
} from './edge.fixture.ts';
import { RETRY_BURST, RetryBudget } from './retry-budget.ts';

const { admission } = DEFAULT_TRAFFIC;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A port on which nothing listens. */
async function deadPort(): Promise<number> {
  const origin = await recordingOrigin();
  await origin.close();
  return origin.port;
}

const retried = (edge: Awaited<ReturnType<typeof testEdge>>): number =>
  edge.worker.report(null, 'everything').rows.reduce((sum, row) => sum + row.retried, 0);

describe('upstream connections', () => {
  it('carry one request after the other', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    await edge.say(GET, GET, POST, GET);
    await edge.say(GET);
    expect(app.seen).toHaveLength(5);
    expect(app.connectionCount).toBe(1);
  });

  it('are not kept when the app closes, says so, or speaks HTTP/1.0', async () => {
    const app = await rawOrigin((socket, _, connection) => {
      if (connection === 0) socket.write(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      else if (connection === 1) socket.write(OK.replace('1.1', '1.0'));
      else socket.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=0\r\n\r\n'));
    });
    const edge = await testEdge([{ port: app.port }]);
    for (let i = 0; i < 4; i += 1) expect(statuses(await edge.say(GET))).toEqual([200]);
    expect(app.connectionCount).toBe(4);
  });

  it('that were idle for long carry no request that must not be sent twice', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { limits: { nonIdempotentIdleMs: -1 } });
    await edge.say(GET);
    await edge.say(POST);
    expect(app.connectionCount).toBe(2);
    await edge.say(GET);
    expect(app.connectionCount).toBe(2);
  });
});

describe('an upstream connection idle for more than a moment', () => {
  it('carries no request whose body cannot be sent again', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { limits: { nonIdempotentIdleMs: -1 } });
    await edge.say(GET);
    const body = 'x'.repeat(100_000);
    await edge.say(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(app.connectionCount).toBe(2);
  });
});

describe('a retry', () => {
  it('finds another target when a connection is refused, whatever the method', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: await deadPort() }, { port: app.port }]);
    for (const request of [POST, GET, POST, GET]) {
      expect(statuses(await edge.say(request))).toEqual([200]);
    }
    expect(edge.outcomes()).toEqual({ ok: 4 });
    // The refused target is left alone after the first time.
    expect(retried(edge)).toBe(1);
  });

  it('finds the one that lives, however many have gone at a time', async () => {
    const app = await recordingOrigin();
    const dead = await Promise.all(Array.from({ length: 6 }, deadPort));
    const edge = await testEdge([...dead, app.port].map((port) => ({ port })));
    expect(statuses(await edge.say(POST))).toEqual([200]);
    expect(edge.outcomes()).toEqual({ ok: 1 });
  });

  it('sends a streamed body from its beginning after a refused connection', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }, { port: await deadPort() }]);
    const body = 'x'.repeat(200_000);
    const request = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(statuses(await edge.say(request))).toEqual([200]);
    expect(statuses(await edge.say(request))).toEqual([200]);
    expect(app.seen.map((seen) => seen.body === body)).toEqual([true, true]);
  });

  it('gives up with 502 when every connection is refused, and goes on being', async () => {
    const dead = [{ port: await deadPort() }, { port: await deadPort() }];
    const edge = await testEdge(dead, { limits: { refusedWaitMs: 50 } });
    expect(statuses(await edge.say(GET))).toEqual([502]);
    expect(edge.outcomes()).toEqual({ lost: 1 });
    expect(retried(edge)).toBe(2);
  });

  it.each([GET, POST])('waits for others while every target refuses', async (request) => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: await deadPort() }, { port: await deadPort() }]);
    const waiting = edge.say(request);
    while (retried(edge) < 2) await settled();
    edge.worker.apply(snapshot({ number: 2, targets: [{ id: 'i-new', port: app.port }] }));
    edge.worker.updateHealth([health('i-new', 'healthy')]);
    expect(statuses(await waiting)).toEqual([200]);
    expect(edge.outcomes()).toEqual({ ok: 1 });
    expect(app.seen).toHaveLength(1);
  });

  it('waits on as others do when those that refused are gone', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: await deadPort() }], { limits: { refusedWaitMs: 50 } });
    const waiting = edge.say(GET);
    await settled();
    edge.worker.apply(snapshot({ number: 2, targets: [] }));
    // By then its patience with them has been looked at.
    await systemClock.sleep(2 * SWEEP_MS);
    edge.worker.apply(snapshot({ number: 3, targets: [{ id: 'i-new', port: app.port }] }));
    edge.worker.updateHealth([health('i-new', 'healthy')]);
    expect(statuses(await waiting)).toEqual([200]);
  });

  it('comes back to a target that refused it for a moment', async () => {
    const gone = await recordingOrigin();
    await gone.close();
    const edge = await testEdge([{ port: gone.port }], { limits: { suspectMs: 10 } });
    const waiting = edge.say(GET);
    await settled();
    gone.server.listen(gone.port, '127.0.0.1');
    expect(statuses(await waiting)).toEqual([200]);
    expect(gone.seen).toHaveLength(1);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
    'is made for %s when the app closes without a byte',
    async (method) => {
      const broken = await rawOrigin((socket) => socket.destroy());
      const app = await recordingOrigin();
      const edge = await testEdge([{ port: app.port }, { port: broken.port }]);
      const request = `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`;
      expect(statuses(await edge.say(request))).toEqual([200]);
      expect(edge.outcomes()).toEqual({ ok: 1 });
      expect(broken.connectionCount).toBe(1);
    },
  );

  it.each(['POST', 'PATCH', 'SEARCH'])('is not made for %s', async (method) => {
    const broken = await rawOrigin((socket) => socket.destroy());
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }, { port: broken.port }]);
    const request = `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`;
    expect(statuses(await edge.say(request))).toEqual([502]);
    expect(app.connectionCount).toBe(0);
    expect(edge.outcomes()).toEqual({ cut: 1 });
  });

  it('is not made once a byte of the response has come', async () => {
    const broken = await rawOrigin((socket) => socket.end('H'));
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }, { port: broken.port }]);
    expect(statuses(await edge.say(GET))).toEqual([502]);
    expect(edge.outcomes()).toEqual({ cut: 1 });
  });

  it('is made at once, outside the budget, when an idle connection turns out closed', async () => {
    let answered = 0;
    const app = await rawOrigin((socket, _, connection) => {
      if (connection === 0 && answered++ > 0) socket.destroy();
      else socket.write(OK);
    });
    const edge = await testEdge([{ port: app.port }]);
    expect(statuses(await edge.say(GET))).toEqual([200]);
    expect(statuses(await edge.say(GET))).toEqual([200]);
    expect(app.connectionCount).toBe(2);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });

  it('ends with the response when a client is inside one that is cut', async () => {
    const app = await rawOrigin((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy());
    });
    const edge = await testEdge([{ port: app.port }]);
    expect((await edge.say(GET)).endsWith('half')).toBe(true);
    expect(edge.outcomes()).toEqual({ cut: 1 });
  });

  it('stays within the budget', () => {
    const budget = new RetryBudget(0);
    let spent = 0;
    while (budget.spend(0)) spent += 1;
    expect(spent).toBe(RETRY_BURST);
    for (let i = 0; i < 50; i += 1) budget.request();
    for (spent = 0; budget.spend(0); ) spent += 1;
    expect(spent).toBeGreaterThanOrEqual(9);
    expect(spent).toBeLessThanOrEqual(10);
    for (spent = 0; budget.spend(1_000); ) spent += 1;
    expect(spent).toBeGreaterThanOrEqual(10);
    expect(spent).toBeLessThanOrEqual(11);
  });
});

describe('choosing a target', () => {
  it('goes round the healthy ones', async () => {
    const apps = await Promise.all([recordingOrigin(), recordingOrigin(), recordingOrigin()]);
    const edge = await testEdge(apps.map(({ port }) => ({ port })));
    for (let i = 0; i < 9; i += 1) await edge.say(GET);
    expect(apps.map((app) => app.seen.length)).toEqual([3, 3, 3]);
  });

  it('uses failing targets only when none is healthy, and only those that were once', async () => {
    const [first, second] = await Promise.all([recordingOrigin(), recordingOrigin()]);
    const edge = await testEdge([{ port: first.port }, { port: second.port }]);
    edge.worker.updateHealth([health('i-0', 'unhealthy', true)]);
    for (let i = 0; i < 2; i += 1) await edge.say(GET);
    expect(first.seen).toHaveLength(0);
    edge.worker.updateHealth([health('i-1', 'unhealthy', false)]);
    for (let i = 0; i < 2; i += 1) await edge.say(GET);
    expect([first.seen.length, second.seen.length]).toEqual([2, 2]);
  });

  it.each(['initial', 'draining', 'unused'] as const)(
    'never uses one that is %s',
    async (state) => {
      const app = await recordingOrigin();
      const edge = await testEdge([{ port: app.port }], {
        rule: { admission: { ...admission, queueMs: 0 } },
      });
      edge.worker.updateHealth([health('i-0', state, true)]);
      expect(statuses(await edge.say(GET))).toEqual([503]);
      expect(app.seen).toHaveLength(0);
      expect(edge.outcomes()).toEqual({ lost: 1 });
    },
  );

  it('lets a request wait until there is one', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    edge.worker.updateHealth([health('i-0', 'initial')]);
    const answers = Promise.all([edge.say(GET), edge.say(POST)]);
    while (edge.worker.report(null, 'everything').accepted < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(app.seen).toHaveLength(0);
    edge.worker.updateHealth([health('i-0', 'healthy')]);
    expect((await answers).map(statuses)).toEqual([[200], [200]]);
    expect(edge.outcomes()).toEqual({ ok: 2 });
  });

  it('lets a waiting request follow rules that are newer than itself', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([]);
    edge.worker.apply(
      snapshot({
        number: 2,
        pools: [],
        rules: [{ hosts: ['a'], environment: 'shop/production', forward: [] }],
      }),
    );
    const answer = edge.say(GET);
    while (edge.worker.report(null, 'everything').accepted < 1) await settled(1);
    edge.worker.apply(snapshot({ number: 3, targets: [{ port: app.port }] }));
    edge.worker.updateHealth([health('i-0', 'healthy')]);
    expect(statuses(await answer)).toEqual([200]);
  });

  it('sheds what does not fit into the queue', async () => {
    const edge = await testEdge([{ port: 1, state: 'standby' }], {
      rule: { admission: { ...admission, queueLength: 0 } },
    });
    const received = await edge.say(GET);
    expect(statuses(received)).toEqual([503]);
    expect(received).toContain('Retry-After: ');
    expect(edge.outcomes()).toEqual({ shed: 1 });
  });

  it('sheds for one environment without taking the place of another', async () => {
    const edge = await testEdge([]);
    const rule = (name: string) => ({
      hosts: [name],
      environment: name,
      forward: [],
      admission: { ...admission, queueLength: 1 },
    });
    edge.worker.apply(snapshot({ number: 2, pools: [], rules: [rule('a'), rule('b')] }));
    const ask = (host: string) => {
      const client = edge.connect();
      client.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return client;
    };
    const inside = async (count: number) => {
      while (edge.worker.report(null, 'everything').inFlight !== count) await settled(1);
    };
    const first = ask('a');
    await inside(1);
    expect(statuses(await ask('a').until(/instance/))).toEqual([503]);
    ask('b');
    await inside(2);
    first.socket.resetAndDestroy();
    await inside(1);
    // The one that left has left its place.
    ask('a');
    await inside(2);
    expect(edge.outcomes()).toEqual({ shed: 1, 'client-aborted': 1 });
  });

  it('serves those that wait in the order they came', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }]);
    edge.worker.updateHealth([health('i-0', 'initial')]);
    const answers: Promise<string>[] = [];
    for (let i = 0; i < 8; i += 1) {
      answers.push(edge.say(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`));
      while (edge.worker.report(null, 'everything').accepted <= i) await settled(1);
    }
    edge.worker.updateHealth([health('i-0', 'healthy')]);
    await Promise.all(answers);
    expect(app.seen.map(({ url }) => url)).toEqual(Array.from({ length: 8 }, (_, i) => `/${i}`));
  });

  it('leaves a target whose address changed until it is healthy there, and lets it finish', async () => {
    let respond: (() => void) | undefined;
    const before = await httpOrigin((_, response) => {
      respond = () => response.end('before');
    });
    const after = await httpOrigin((_, response) => response.end('after'));
    const edge = await testEdge([{ port: before.port }]);
    const first = edge.say(GET);
    while (respond === undefined) await settled(1);
    edge.worker.apply(snapshot({ number: 2, targets: [{ port: after.port }] }));
    const second = edge.say(GET);
    while (edge.worker.report(null, 'everything').accepted < 2) await settled(1);
    await settled();
    expect(after.connectionCount).toBe(0);
    edge.worker.updateHealth([health('i-0', 'healthy')]);
    expect(await second).toContain('after');
    edge.worker.apply(snapshot({ number: 3, targets: [] }));
    respond();
    expect(await first).toContain('before');
    expect(edge.outcomes()).toEqual({ ok: 2 });
    edge.worker.report(null, 'changes');
    expect(edge.worker.report(null, 'changes').targets).toEqual([]);
  });

  it('shares traffic by the weights of the pools, passing over those without a target', async () => {
    const [first, second] = await Promise.all([recordingOrigin(), recordingOrigin()]);
    const edge = await testEdge([]);
    const base = snapshot({ number: 2, targets: [{ port: first.port }] });
    const [one] = base.pools;
    if (!one) throw new Error('no pool');
    const two = {
      ...one,
      id: 'shop/production#2',
      targets: [{ ...one.targets[0], port: second.port }],
    };
    edge.worker.apply(
      snapshot({
        number: 2,
        pools: [one, two as typeof one],
        rules: [
          {
            hosts: ['*'],
            environment: 'shop/production',
            forward: [
              { pool: one.id, weight: 3 },
              { pool: two.id, weight: 1 },
            ],
          },
        ],
      }),
    );
    edge.worker.updateHealth([health('i-0', 'healthy'), health('i-0', 'healthy', true, two.id)]);
    for (let i = 0; i < 8; i += 1) await edge.say(GET);
    expect([first.seen.length, second.seen.length]).toEqual([6, 2]);
    edge.worker.updateHealth([health('i-0', 'unhealthy', true)]);
    for (let i = 0; i < 4; i += 1) await edge.say(GET);
    expect([first.seen.length, second.seen.length]).toEqual([6, 6]);
  });

  it('follows the most specific rule, whatever case, port and trailing dot', async () => {
    const edge = await testEdge([]);
    const apps = await Promise.all(
      ['exact', 'wild', 'any'].map((name) => httpOrigin((_, response) => response.end(name))),
    );
    const pools = apps.map(({ port }, i) => {
      const [pool] = snapshot({ targets: [{ port }] }).pools;
      if (!pool) throw new Error('no pool');
      return { ...pool, id: `p${i}` };
    });
    const hosts = [['a.shop.test'], ['*.shop.test'], ['*']];
    edge.worker.apply(
      snapshot({
        number: 2,
        pools,
        rules: hosts.map((names, i) => ({
          hosts: names,
          environment: `e${i}`,
          forward: [{ pool: `p${i}`, weight: 1 }],
        })),
      }),
    );
    edge.worker.updateHealth(pools.map(({ id }) => health('i-0', 'healthy', true, id)));
    const ask = async (host: string) => {
      const text = await edge.say(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return /(exact|wild|any)/.exec(text)?.[0];
    };
    expect(await ask('a.shop.test')).toBe('exact');
    expect(await ask('A.Shop.TEST.:8080')).toBe('exact');
    expect(await ask('b.shop.test')).toBe('wild');
    expect(await ask('b.c.shop.test')).toBe('any');
    expect(await ask('shop.test')).toBe('any');
  });

  it('answers 404 with the name that was asked for where no rule is', async () => {
    const edge = await testEdge([]);
    edge.worker.apply(snapshot({ number: 2, rules: [] }));
    const received = await edge.say('GET / HTTP/1.1\r\nHost: nowhere.test\r\n\r\n');
    expect(statuses(received)).toEqual([404]);
    expect(received).toContain('"nowhere.test"');
    expect(edge.outcomes()).toEqual({ fixed: 1 });
  });

  it('keeps a newer snapshot when an older one comes', async () => {
    const edge = await testEdge([]);
    edge.worker.apply(snapshot({ number: 5 }));
    edge.worker.apply(snapshot({ number: 4, rules: [] }));
    expect(edge.worker.snapshot).toBe(5);
  });
});
