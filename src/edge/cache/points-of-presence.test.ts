import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { type CacheRule, HONOUR_THE_APP } from '../../model/cache.ts';
import type { EdgeSettings } from '../../model/edge-settings.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { health, httpOrigin, type TestEdge, testEdge } from '../worker/edge.fixture.ts';

/** Edges one behind the other: points of presence before a shield before the app. */

const CLIENTS = 20;
const HOUR_S = 3_600;
/** Whoever stands before them ends TLS, and says so. */
const trustedProxies = ['127.0.0.0/8'];
const TLS_BEFORE = 'X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n';

interface App {
  port: number;
  asked: string[];
  says: string;
  status: number;
  close(): Promise<void>;
}

async function startApp(): Promise<App> {
  const origin = await httpOrigin((request, response) => {
    const { host, 'x-forwarded-for': client } = request.headers;
    app.asked.push(`${request.url} ${host} ${client}`);
    response.writeHead(app.status, {
      'Cache-Control': `max-age=${HOUR_S}`,
      ETag: '"1"',
      Date: new Date(clock.now()).toUTCString(),
      'Content-Length': app.says.length,
    });
    response.end(app.says);
  });
  const app: App = {
    port: origin.port,
    asked: [],
    says: 'hello',
    status: 200,
    close: () => origin.close(),
  };
  return app;
}

let clock = manualClock();

function edge(
  ports: readonly number[],
  settings: Partial<EdgeSettings>,
  rule: Partial<CacheRule> = {},
): Promise<TestEdge> {
  const targets = ports.map((port, i) => ({ id: `fixed-${i + 1}`, port, zone: null }));
  return testEdge(targets, {
    clock,
    settings,
    pool: {
      external: true,
      balancing: { ...DEFAULT_TRAFFIC.balancing, algorithm: 'first' },
    },
    rule: {
      cache: {
        rules: [{ ...HONOUR_THE_APP, ...rule }],
        release: null,
        purgedUpTo: 0,
        purges: [],
      },
    },
  });
}

/** So many points of presence before one shield. */
async function layered(count: number, rule: Partial<CacheRule> = {}) {
  clock = manualClock();
  const app = await startApp();
  const shield = await edge([app.port], { zone: 'nyc', trustedProxies });
  const outer = await Promise.all(
    Array.from({ length: count }, () =>
      edge([shield.port, app.port], { zone: 'fra', trustedProxies }, rule),
    ),
  );
  const [first] = outer;
  if (first === undefined) throw new Error('there is no point of presence');
  return { app, shield, outer, first };
}

async function ask(from: TestEdge): Promise<{ head: string; body: string }> {
  const text = await from.say(`GET /page HTTP/1.1\r\nHost: shop.example\r\n${TLS_BEFORE}\r\n`);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return { head, body };
}

const cacheStatus = (head: string): string[] =>
  [...head.matchAll(/\r\nCache-Status: (.*)/g)].map(([, value]) => value ?? '');
const ageOf = (head: string): number => Number(/\r\nAge: (\d+)/.exec(head)?.[1] ?? 0);

describe('a request through two edges', () => {
  it('reaches the app with its Host and its client, and the answer says what both did', async () => {
    const { app, first } = await layered(1);
    const { head, body } = await ask(first);
    expect(body).toBe('hello');
    expect(app.asked).toEqual(['/page shop.example 127.0.0.1, 127.0.0.1']);
    expect(cacheStatus(head)).toEqual([
      expect.stringMatching(/^belay-nyc; fwd=uri-miss; fwd-status=200.*; stored/),
      expect.stringMatching(/^belay-fra; fwd=uri-miss; fwd-status=200.*; stored/),
    ]);
  });

  it('is answered by the first that has it, with the age of the answer and not of its copy', async () => {
    const { app, outer, first } = await layered(2);
    await ask(first);
    await clock.advance(10_000);
    const [, second] = outer;
    if (second === undefined) throw new Error('there is one');
    const beside = await ask(second);
    expect(ageOf(beside.head)).toBe(10);
    expect(cacheStatus(beside.head)).toEqual([
      expect.stringMatching(/^belay-nyc; hit; ttl=3590/),
      expect.stringMatching(/^belay-fra; fwd=uri-miss; fwd-status=200.*; stored/),
    ]);
    await clock.advance(5_000);
    const again = await ask(second);
    expect(ageOf(again.head)).toBe(15);
    expect(cacheStatus(again.head).at(-1)).toMatch(/^belay-fra; hit; ttl=3585$/);
    expect(app.asked).toHaveLength(1);
  });

  it('is asked about at the shield, and not at the app, when only the outer one is to be brief', async () => {
    const { app, shield, first } = await layered(1, { mostS: 10 });
    await ask(first);
    await clock.advance(11_000);
    const { head, body } = await ask(first);
    expect(body).toBe('hello');
    expect(cacheStatus(head).at(-1)).toMatch(/^belay-fra; fwd=stale; fwd-status=304/);
    expect(app.asked).toHaveLength(1);
    expect(shield.outcomes()).toEqual({ ok: 1, cached: 1 });
  });

  it('is one request to the app, whoever many ask for it at whichever edge', async () => {
    const { app, shield, outer } = await layered(3);
    const answers = await Promise.all(
      Array.from({ length: CLIENTS * outer.length }, (_, i) =>
        ask(outer[i % outer.length] as TestEdge),
      ),
    );
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['hello']));
    expect(app.asked).toHaveLength(1);
    expect(shield.outcomes()).toEqual({ ok: 1, cached: outer.length - 1 });
  });
});

describe('when something behind a point of presence is out', () => {
  it('asks the origin itself while the shield is out, at once', async () => {
    const { app, shield, first } = await layered(1, { mostS: 1 });
    await ask(first);
    await shield.worker.close();
    await clock.advance(2_000);
    app.says = 'newer';
    const { head, body } = await ask(first);
    expect(body).toBe('newer');
    expect(cacheStatus(head)).toEqual([expect.stringMatching(/^belay-fra; fwd=stale/)]);
    expect(app.asked.at(-1)).toBe('/page shop.example 127.0.0.1');
    expect(first.outcomes()).toEqual({ ok: 2 });
  });

  it('answers with what it has while the shield and the origin are out, and says why', async () => {
    const { app, shield, first } = await layered(1, { mostS: 1 });
    await ask(first);
    await shield.worker.close();
    await app.close();
    first.worker.updateHealth([health('fixed-1', 'unhealthy'), health('fixed-2', 'unhealthy')]);
    await clock.advance(2_000);
    const { head, body } = await ask(first);
    expect(body).toBe('hello');
    expect(cacheStatus(head).at(-1)).toMatch(/^belay-fra; .*detail=no-target$/);
    expect(first.outcomes()).toEqual({ ok: 1, cached: 1 });
  });

  it('waits for nobody to come back when connections are refused', async () => {
    const { app, shield, first } = await layered(1, { mostS: 1 });
    await ask(first);
    await shield.worker.close();
    await app.close();
    await clock.advance(2_000);
    // The clock stands still: who waited for anything would wait for ever.
    const { head, body } = await ask(first);
    expect(body).toBe('hello');
    expect(cacheStatus(head).at(-1)).toMatch(/^belay-fra; .*detail=error$/);
    expect(cacheStatus((await ask(first)).head).at(-1)).toMatch(
      /detail=(no-target|asked-in-vain)$/,
    );
  });

  it('answers with what it has while the app behind the shield fails', async () => {
    const { app, first } = await layered(1);
    await ask(first);
    await clock.advance((HOUR_S + 1) * 1_000);
    app.status = 503;
    const { head, body } = await ask(first);
    expect(body).toBe('hello');
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
  });
});
