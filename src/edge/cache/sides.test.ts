import { describe, expect, test } from 'vitest';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import type { SnapshotInput } from '../../model/snapshot.ts';
import { health, httpOrigin, snapshot, testEdge } from '../worker/edge.fixture.ts';

/** What is kept is of one release, and so is all that a session gets while two share the traffic. */

const POOLS = ['shop/production#1', 'shop/production#2'];
const HOUR_MS = 3_600_000;

/** A page that is nobody's, and a script that is kept, both with the release that answers. */
const release = (number: number) =>
  httpOrigin(({ url }, response) => {
    if (url === '/app.js') response.setHeader('Cache-Control', 'max-age=60');
    response.end(`release ${number}`);
  });

/** @param first the release whose answers are kept; null: of both */
async function divided(first: number | null, rule: Partial<SnapshotInput['rules'][number]> = {}) {
  const apps = await Promise.all([release(1), release(2)]);
  const edge = await testEdge([]);
  const [base] = snapshot({}).pools;
  const [anyHost] = snapshot({}).rules;
  if (!base || !anyHost) throw new Error('an empty snapshot');
  let number = 1;
  const turn = (weights: [number, number], kept = first) => {
    number += 1;
    edge.worker.apply({
      ...snapshot({ number }),
      cookieKey: 'ab'.repeat(32),
      pools: POOLS.map((id, i) => ({
        ...base,
        ...{ id, release: i + 1 },
        targets:
          snapshot({ targets: [{ id: `i-${i}`, port: apps[i]?.port ?? 0 }] }).pools[0]?.targets ??
          [],
      })),
      rules: snapshot({
        rules: [
          {
            ...anyHost,
            forward: POOLS.map((pool, i) => ({ pool, weight: weights[i] ?? 0 })),
            poolStickyMs: HOUR_MS,
            cache: { rules: [HONOUR_THE_APP], release: kept, purgedUpTo: 0, purges: [] },
            ...rule,
          },
        ],
      }).rules,
    });
    edge.worker.updateHealth(POOLS.map((id, i) => health(`i-${i}`, 'healthy', true, id)));
  };
  const ask = async (target: string, cookie = '') => {
    const line = cookie === '' ? '' : `Cookie: ${cookie}\r\n`;
    const text = await edge.say(
      `GET ${target} HTTP/1.1\r\nHost: a\r\n${line}Connection: close\r\n\r\n`,
    );
    return {
      from: Number(/release (\d)/.exec(text)?.[1]),
      cookie: /Set-Cookie: (BELAYLB=[^;]*);/.exec(text)?.[1] ?? '',
      did: /Cache-Status: belay; (.*)\r/.exec(text)?.[1] ?? '',
    };
  };
  /** A session of each release. */
  const sessions = async () => {
    const cookies = ['', ''];
    while (cookies.includes('')) {
      const { from, cookie } = await ask('/');
      cookies[from - 1] = cookie;
    }
    return cookies;
  };
  turn([1, 1]);
  return { ask, sessions, turn };
}

describe('a session, while two releases share the traffic', () => {
  test('has what is kept if it is of that release, and else what its own answers', async () => {
    const { ask, sessions } = await divided(1);
    const [old, young] = await sessions();
    await ask('/app.js', old);
    expect(await ask('/app.js', old)).toMatchObject({
      from: 1,
      did: expect.stringMatching(/^hit/),
    });
    for (let i = 0; i < 3; i += 1) {
      expect(await ask('/app.js', young)).toMatchObject({
        from: 2,
        did: 'fwd=bypass; fwd-status=200; detail=other-version',
      });
    }
    expect(await ask('/app.js')).toMatchObject({ from: 1, did: expect.stringMatching(/^hit/) });
  });

  test('has what is kept by its instance, too', async () => {
    const { ask, sessions } = await divided(1, { poolStickyMs: null, stickyMs: HOUR_MS });
    const [old, young] = await sessions();
    await ask('/app.js', old);
    expect((await ask('/app.js', young)).from).toBe(2);
    expect((await ask('/app.js', old)).did).toMatch(/^hit/);
  });

  test('has what is kept of all releases where they are not told apart', async () => {
    const { ask, sessions } = await divided(null);
    const [old, young] = await sessions();
    await ask('/app.js', old);
    expect((await ask('/app.js', young)).from).toBe(1);
  });

  test('has what is kept when its own release takes nothing any more', async () => {
    const { ask, sessions, turn } = await divided(1);
    const [old, young] = await sessions();
    await ask('/app.js', old);
    turn([1, 0]);
    expect(await ask('/app.js', young)).toMatchObject({
      from: 1,
      did: expect.stringMatching(/^hit/),
    });
  });
});

describe('what is kept of a release', () => {
  test('is not given while another has the traffic, and is found again when it is back', async () => {
    const { ask, turn } = await divided(1);
    turn([1, 0]);
    await ask('/app.js');
    turn([0, 1], 2);
    expect(await ask('/app.js')).toMatchObject({ from: 2, did: expect.stringMatching(/stored$/) });
    turn([1, 0]);
    expect(await ask('/app.js')).toMatchObject({ from: 1, did: expect.stringMatching(/^hit/) });
    turn([0, 1], 2);
    expect(await ask('/app.js')).toMatchObject({ from: 2, did: expect.stringMatching(/^hit/) });
  });

  test('is nothing that another has answered', async () => {
    const { ask, turn } = await divided(1);
    turn([0, 1]);
    expect(await ask('/app.js')).toMatchObject({
      from: 2,
      did: 'fwd=uri-miss; fwd-status=200; detail=other-version',
    });
    turn([1, 0]);
    expect((await ask('/app.js')).from).toBe(1);
  });
});
