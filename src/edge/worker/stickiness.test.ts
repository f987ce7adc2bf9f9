import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import type { Rule, Snapshot, Target } from '../../model/snapshot.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import {
  health,
  httpOrigin,
  type Origin,
  recordingOrigin,
  settled,
  snapshot,
  statuses,
  testEdge,
} from './edge.fixture.ts';

const KEY = '0123456789abcdef'.repeat(4);
const HOUR_MS = 3_600_000;
const [FIRST, SECOND] = ['shop/production#1', 'shop/production#2'];

interface Answer {
  status: number;
  /** Which app answered. */
  name: string;
  /** What the edge set; empty when it set none. */
  cookie: string;
  setCookie: string;
}

interface Setting {
  /** In their pools: names of apps, by the targets' ids. */
  pools?: { id: string; weight: number; targets: Partial<Target>[]; maxConcurrency?: number }[];
  rule?: Partial<Rule>;
  cookieKey?: string;
}

const target = (app: Origin, id: string, fields: Partial<Target> = {}): Partial<Target> => ({
  ...{ id, port: app.port },
  ...fields,
});

/** An edge with sessions that stick for an hour, unless the rule says otherwise. */
async function stickyEdge(setting: Setting) {
  const clock = manualClock();
  const edge = await testEdge([], { clock });
  let number = 1;
  const apply = ({ pools = [], rule = {}, cookieKey = KEY }: Setting): void => {
    number += 1;
    const [base] = snapshot({}).pools;
    const [anyHost] = snapshot({}).rules;
    if (!base || !anyHost) throw new Error('an empty snapshot');
    const next: Snapshot = {
      ...snapshot({ number }),
      cookieKey,
      pools: pools.map(({ id, targets, maxConcurrency = null }) => ({
        ...base,
        id,
        balancing: { ...DEFAULT_TRAFFIC.balancing, maxConcurrency },
        targets: snapshot({ targets }).pools[0]?.targets ?? [],
      })),
      rules: [
        {
          ...anyHost,
          forward: pools.map(({ id, weight }) => ({ pool: id, weight })),
          stickyMs: HOUR_MS,
          ...rule,
        },
      ],
    };
    edge.worker.apply(next);
    edge.worker.updateHealth(
      pools.flatMap(({ id, targets }) =>
        targets.map((each) => health(each.id ?? '', 'healthy', true, id)),
      ),
    );
  };
  apply(setting);
  const ask = async (cookie = '', fields = ''): Promise<Answer> => {
    const line = cookie === '' ? '' : `Cookie: ${cookie}\r\n`;
    const text = await edge.say(
      `GET / HTTP/1.1\r\nHost: a\r\n${fields}${line}Connection: close\r\n\r\n`,
    );
    return {
      status: statuses(text)[0] ?? 0,
      name: text.slice(text.indexOf('\r\n\r\n') + 4),
      cookie: /Set-Cookie: (BELAYLB=[^;]*);/.exec(text)?.[1] ?? '',
      setCookie: /Set-Cookie: BELAYLB.*/.exec(text)?.[0] ?? '',
    };
  };
  return { ...edge, clock, apply, ask };
}

const namedApp = (name: string): Promise<Origin> =>
  httpOrigin((_, response) => {
    response.setHeader('Content-Length', name.length);
    response.end(name);
  });

/** A sticky edge before two apps, `a` and `b`. */
async function twoApps(setting: Omit<Setting, 'pools'> & { maxConcurrency?: number } = {}) {
  const [a, b] = await Promise.all([namedApp('a'), namedApp('b')]);
  const { maxConcurrency, ...rest } = setting;
  const pool = (targets: Partial<Target>[]) => [
    { id: FIRST ?? '', weight: 1, targets, ...(maxConcurrency ? { maxConcurrency } : {}) },
  ];
  const edge = await stickyEdge({
    ...rest,
    pools: pool([target(a, 'i-a'), target(b, 'i-b')]),
  });
  return { edge, a, b, pool };
}

const other = (name: string): string => (name === 'a' ? 'b' : 'a');

describe('a sticky session', () => {
  it('comes back to its target, while others go where it is their turn', async () => {
    const { edge } = await twoApps();
    const first = await edge.ask();
    for (let i = 0; i < 4; i += 1) expect((await edge.ask(first.cookie)).name).toBe(first.name);
    const others = await Promise.all(Array.from({ length: 4 }, () => edge.ask()));
    expect(new Set(others.map(({ name }) => name))).toEqual(new Set(['a', 'b']));
  });

  it('is a cookie for scripts not to read and other sites not to send, which names nothing', async () => {
    const { edge } = await twoApps();
    const { cookie, setCookie } = await edge.ask();
    expect(setCookie.trim()).toMatch(
      /^Set-Cookie: BELAYLB=[\w-]{53}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600; Expires=Thu, 01 Jan 2026 01:00:00 GMT$/,
    );
    const bytes = Buffer.from(cookie.replace('BELAYLB=', ''), 'base64url').toString('latin1');
    for (const text of [cookie, bytes]) {
      for (const name of ['i-a', 'i-b', 'shop', 'production']) expect(text).not.toContain(name);
    }
  });

  it('lasts from the last answer, not from the first', async () => {
    const { edge } = await twoApps();
    let { name, cookie } = await edge.ask();
    const home = name;
    for (let i = 0; i < 5; i += 1) {
      await edge.clock.advance(HOUR_MS - 1_000);
      ({ name, cookie } = await edge.ask(cookie));
      expect(name).toBe(home);
    }
    await edge.clock.advance(HOUR_MS + 1_000);
    const names = new Set<string>();
    for (let i = 0; i < 4; i += 1) names.add((await edge.ask(cookie)).name);
    expect(names.size).toBe(2);
  });

  it.each(['unhealthy', 'initial'] as const)(
    'moves for good when its target is %s',
    async (state) => {
      const { edge } = await twoApps();
      const first = await edge.ask();
      edge.worker.updateHealth([health(`i-${first.name}`, state, true)]);
      const moved = await edge.ask(first.cookie);
      expect(moved.name).toBe(other(first.name));
      expect(moved.cookie).not.toBe(first.cookie);
      edge.worker.updateHealth([health(`i-${first.name}`, 'healthy')]);
      for (let i = 0; i < 4; i += 1) expect((await edge.ask(moved.cookie)).name).toBe(moved.name);
    },
  );

  it('moves for good when its target drains, or is gone', async () => {
    const { edge, a, b, pool } = await twoApps();
    const first = await edge.ask();
    const apps = { a: target(a, 'i-a'), b: target(b, 'i-b') };
    const [home, away] = first.name === 'a' ? [apps.a, apps.b] : [apps.b, apps.a];
    edge.apply({ pools: pool([{ ...home, state: 'draining' }, away]) });
    edge.worker.updateHealth([health(`i-${first.name}`, 'draining', true)]);
    const moved = await edge.ask(first.cookie);
    expect(moved.name).toBe(other(first.name));
    edge.apply({ pools: pool([home]) });
    const back = await edge.ask(moved.cookie);
    expect(back.name).toBe(first.name);
    edge.apply({ pools: pool([home, away]) });
    for (let i = 0; i < 4; i += 1) expect((await edge.ask(back.cookie)).name).toBe(back.name);
  });

  it('moves for good when its target refuses the connection, with the same request', async () => {
    const { edge, a, b } = await twoApps();
    const first = await edge.ask();
    await (first.name === 'a' ? a : b).close();
    const moved = await edge.ask(first.cookie);
    expect(moved).toMatchObject({ status: 200, name: other(first.name) });
    expect((await edge.ask(moved.cookie)).name).toBe(moved.name);
    expect(edge.outcomes()).toEqual({ ok: 3 });
  });

  it('moves for good when its target is left out for its errors', async () => {
    const apps = await Promise.all(
      ['a', 'b'].map((name) =>
        httpOrigin((request, response) => {
          response.statusCode = request.url === '/bad' ? 500 : 200;
          response.end(name);
        }),
      ),
    );
    const targets = apps.map((app, i) => target(app, `i-${i}`));
    const edge = await stickyEdge({ pools: [{ id: FIRST ?? '', weight: 1, targets }] });
    const first = await edge.ask();
    const bad = `GET /bad HTTP/1.1\r\nHost: a\r\nCookie: ${first.cookie}\r\n\r\n`;
    const { consecutiveErrors = 0 } = DEFAULT_TRAFFIC.balancing.ejection ?? {};
    for (let i = 0; i < consecutiveErrors; i += 1) await edge.say(bad);
    const moved = await edge.ask(first.cookie);
    expect(moved.name).not.toBe(first.name);
    expect((await edge.ask(moved.cookie)).name).toBe(moved.name);
  });

  it('stays where it was when all targets fail their checks', async () => {
    const { edge } = await twoApps();
    const first = await edge.ask();
    edge.worker.updateHealth(['i-a', 'i-b'].map((id) => health(id, 'unhealthy', true)));
    for (let i = 0; i < 4; i += 1) {
      const next = await edge.ask(first.cookie);
      expect(next).toMatchObject({ name: first.name, cookie: first.cookie });
    }
  });

  it('goes elsewhere while its target is full, and comes back', async () => {
    let release: (() => void) | undefined;
    const slow = await httpOrigin((request, response) => {
      if (request.url === '/') response.end('slow');
      else release = () => response.end('held');
    });
    const quick = await namedApp('quick');
    const targets = [target(slow, 'i-slow'), target(quick, 'i-quick')];
    const edge = await stickyEdge({
      pools: [{ id: FIRST ?? '', weight: 1, targets, maxConcurrency: 1 }],
    });
    let first = await edge.ask();
    while (!first.name.includes('slow')) first = await edge.ask();
    const holding = edge.connect();
    holding.socket.write(`GET /held HTTP/1.1\r\nHost: a\r\nCookie: ${first.cookie}\r\n\r\n`);
    while (release === undefined) await settled(1);
    const spilled = await edge.ask(first.cookie);
    expect(spilled).toMatchObject({ name: 'quick', cookie: first.cookie });
    release();
    await holding.until(/held/);
    expect((await edge.ask(first.cookie)).name).toContain('slow');
  });

  it('is none of our business where nothing sticks, or nothing can be signed', async () => {
    const { edge } = await twoApps({ rule: { stickyMs: null } });
    expect((await edge.ask()).cookie).toBe('');
    const unsigned = await twoApps({ cookieKey: '' });
    expect(await unsigned.edge.ask()).toMatchObject({ status: 200, cookie: '' });
  });

  it('is on the answer that opens a WebSocket, and decides where the next one goes', async () => {
    const apps = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const app = await httpOrigin(() => {});
        app.server.on('upgrade', (_, socket) => {
          socket.end(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: probe/1\r\n\r\n${name}`,
          );
        });
        return target(app, `i-${name}`);
      }),
    );
    const edge = await stickyEdge({ pools: [{ id: FIRST ?? '', weight: 1, targets: apps }] });
    const upgrade = 'Connection: Upgrade\r\nUpgrade: probe/1\r\n';
    const open = async (cookie: string): Promise<string> => {
      const client = edge.connect();
      client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${cookie}${upgrade}\r\n`);
      return client.closed;
    };
    const first = await open('');
    const cookie = /Set-Cookie: (BELAYLB=[\w-]{53});/.exec(first)?.[1];
    expect(cookie).toBeDefined();
    for (let i = 0; i < 4; i += 1) {
      const next = await open(`Cookie: ${cookie}\r\n`);
      expect(next.at(-1)).toBe(first.at(-1));
    }
  });
});

describe('the cookie of a session', () => {
  /** Where three requests with these fields go: all to one place, or in turn. */
  async function keeps(edge: Awaited<ReturnType<typeof stickyEdge>>, fields: string) {
    const names = new Set<string>();
    for (let i = 0; i < 3; i += 1) names.add((await edge.ask('', fields)).name);
    return names.size === 1;
  }

  it('is found wherever browsers put it, and nowhere else', async () => {
    const { edge } = await twoApps();
    const { cookie } = await edge.ask();
    const found = [
      `Cookie: ${cookie}\r\n`,
      `cOOKIE:${cookie}\r\n`,
      `Cookie: a=1; ${cookie}; b=2\r\n`,
      `Accept: */*\r\nCookie: a=1;${cookie}\r\nX: y\r\n`,
      `Cookie: a=1\r\nCookie: ${cookie}\r\n`,
      `Cookie: BELAYLB=stale; ${cookie}\r\n`,
    ];
    for (const fields of found) expect([fields, await keeps(edge, fields)]).toEqual([fields, true]);
    const missed = [
      `X-Cookie: ${cookie}\r\n`,
      `Accept: ${cookie}\r\n`,
      `Cookie: NOT${cookie}\r\n`,
      `Cookie: a=${cookie}\r\n`,
      `Cookie: a b ${cookie}\r\n`,
      `Cookie: BELAYLB=\r\n`,
      `Cookie: BELAYLB\r\n`,
    ];
    for (const fields of missed) {
      expect([fields, await keeps(edge, fields)]).toEqual([fields, false]);
    }
  });

  it('is ignored when a single character of it differs', async () => {
    const { edge } = await twoApps();
    const { cookie } = await edge.ask();
    const start = 'BELAYLB='.length;
    for (let at = start; at < cookie.length; at += 4) {
      const changed = cookie[at] === 'A' ? 'Q' : 'A';
      const forged = cookie.slice(0, at) + changed + cookie.slice(at + 1);
      expect([at, await keeps(edge, `Cookie: ${forged}\r\n`)]).toEqual([at, false]);
    }
    expect(await keeps(edge, `Cookie: ${cookie.slice(0, -1)}\r\n`)).toBe(false);
  });

  it('is ignored when it was signed with another key', async () => {
    const { edge, a, b, pool } = await twoApps();
    const { cookie } = await edge.ask();
    const pools = pool([target(a, 'i-a'), target(b, 'i-b')]);
    edge.apply({ pools, cookieKey: 'f'.repeat(64) });
    expect(await keeps(edge, `Cookie: ${cookie}\r\n`)).toBe(false);
    edge.apply({ pools });
    expect(await keeps(edge, `Cookie: ${cookie}\r\n`)).toBe(true);
  });

  it('is not believed beyond the third', async () => {
    const { edge } = await twoApps();
    const { cookie } = await edge.ask();
    const stale = 'BELAYLB=stale; ';
    expect(await keeps(edge, `Cookie: ${stale.repeat(2)}${cookie}\r\n`)).toBe(true);
    expect(await keeps(edge, `Cookie: ${stale.repeat(3)}${cookie}\r\n`)).toBe(false);
  });

  it('reaches the app as it came', async () => {
    const app = await recordingOrigin();
    const edge = await stickyEdge({
      pools: [{ id: FIRST ?? '', weight: 1, targets: [target(app, 'i-0')] }],
    });
    const { cookie } = await edge.ask();
    await edge.ask(`a=1; ${cookie}; b=2`);
    expect(app.seen.at(-1)?.headers.cookie).toBe(`a=1; ${cookie}; b=2`);
  });
});

describe('a client kept with its pool', () => {
  /** Two pools of two targets each, whose apps answer with the name of their pool. */
  async function twoPools(rule: Partial<Rule> = { stickyMs: null, poolStickyMs: HOUR_MS }) {
    const apps = await Promise.all(['old', 'old', 'new', 'new'].map(namedApp));
    const targets = apps.map((app, i) => target(app, `i-${i}`));
    const pools = (...weights: number[]) => [
      { id: FIRST ?? '', weight: weights[0] ?? 0, targets: targets.slice(0, 2) },
      { id: SECOND ?? '', weight: weights[1] ?? 0, targets: targets.slice(2) },
    ];
    const edge = await stickyEdge({ pools: pools(1, 1), rule });
    const askFor = async (name: string): Promise<Answer> => {
      let answer = await edge.ask();
      while (answer.name !== name) answer = await edge.ask();
      return answer;
    };
    const ask4 = async (cookie: string): Promise<string[]> => {
      const names: string[] = [];
      for (let i = 0; i < 4; i += 1) names.push((await edge.ask(cookie)).name);
      return names;
    };
    return { edge, apps, pools, rule, askFor, ask4 };
  }

  it('stays with it whatever the weights become, and goes to its targets in turn', async () => {
    const { edge, apps, pools, rule, askFor, ask4 } = await twoPools();
    const { cookie } = await askFor('new');
    edge.apply({ pools: pools(99, 1), rule });
    expect(await ask4(cookie)).toEqual(['new', 'new', 'new', 'new']);
    for (const app of apps.slice(2)) expect(app.connectionCount).toBeGreaterThan(0);
  });

  it('is given another when its own takes nothing any more', async () => {
    const { edge, pools, rule, askFor, ask4 } = await twoPools();
    const first = await askFor('new');
    edge.apply({ pools: pools(1, 0), rule });
    const moved = await edge.ask(first.cookie);
    expect(moved.name).toBe('old');
    edge.apply({ pools: pools(1, 99), rule });
    expect(await ask4(moved.cookie)).toEqual(['old', 'old', 'old', 'old']);
  });

  it('is given another when its own has no usable target', async () => {
    const { edge, askFor, ask4 } = await twoPools();
    const first = await askFor('new');
    const down = ['i-2', 'i-3'].map((id) => health(id, 'unhealthy', true, SECOND));
    edge.worker.updateHealth(down);
    const moved = await edge.ask(first.cookie);
    expect(moved.name).toBe('old');
    edge.worker.updateHealth(['i-2', 'i-3'].map((id) => health(id, 'healthy', true, SECOND)));
    expect(await ask4(moved.cookie)).toEqual(['old', 'old', 'old', 'old']);
  });

  it('keeps its pool longer than its target, where it is to', async () => {
    const { edge, apps, askFor } = await twoPools({ stickyMs: 60_000, poolStickyMs: HOUR_MS });
    const { cookie, setCookie } = await askFor('new');
    expect(setCookie).toContain('Max-Age=3600;');
    const counts = () => apps.map(({ connectionCount }) => connectionCount);
    const before = counts();
    for (let i = 0; i < 4; i += 1) await edge.ask(cookie);
    await edge.clock.advance(120_000);
    const names = new Set<string>();
    for (let i = 0; i < 4; i += 1) names.add((await edge.ask(cookie)).name);
    expect(names).toEqual(new Set(['new']));
    expect(counts().slice(0, 2)).toEqual(before.slice(0, 2));
  });
});
