import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { SnapshotInput } from '../../model/snapshot.ts';
import {
  health,
  httpOrigin,
  recordingOrigin,
  snapshot,
  type TestEdge,
  testEdge,
} from './edge.fixture.ts';

/** What an upstream sends back to the edge it came from. */

const KEYS = ['ab'.repeat(32), 'cd'.repeat(32)] as const;
const CHECK = {
  path: '*',
  matcher: { from: 200, to: 399 },
  intervalMs: 1_000,
  timeoutMs: 500,
  healthyThreshold: 1,
  unhealthyThreshold: 2,
};

/** Has an environment of the edge stand before a port, for a name. */
function inFrontOf(environment: string, host: string, port: number) {
  const id = `${environment}#1`;
  const targets = [
    {
      id: 'fixed',
      host: '127.0.0.1',
      port,
      zone: null,
      state: 'active' as const,
      drainUntil: null,
    },
  ];
  const pool: SnapshotInput['pools'][number] = {
    id,
    environment,
    release: 1,
    health: CHECK,
    external: true,
    targets,
  };
  const rule = { hosts: [host], environment, forward: [{ pool: id, weight: 1 }] };
  return { pool, rule };
}

function apply(edge: TestEdge, key: string, ...parts: ReturnType<typeof inFrontOf>[]): void {
  edge.worker.apply({
    ...snapshot({
      number: 2,
      rules: parts.map(({ rule }) => rule),
      pools: parts.map(({ pool }) => pool),
    }),
    cookieKey: key,
  });
  edge.worker.updateHealth(parts.map(({ pool }) => health('fixed', 'healthy', true, pool.id)));
}

const get = (host: string, more = ''): string => `GET /a HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;

/** Hands on to a port under another name, with the fields that came and these. */
function proxyTo(port: number, host: string, fields: Record<string, string> = {}) {
  return httpOrigin((incoming, outgoing) => {
    request(
      { port, host: '127.0.0.1', path: '/a', headers: { ...incoming.headers, ...fields, host } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 0);
        answer.pipe(outgoing);
      },
    ).end();
  });
}

describe('a request that comes back', () => {
  it('is refused, where two edges are each the upstream of the other', async () => {
    const [one, two] = [await testEdge([]), await testEdge([])];
    apply(one, KEYS[0], inFrontOf('shop/production', '*', two.port));
    apply(two, KEYS[1], inFrontOf('shop/production', '*', one.port));
    const answer = await one.say(get('shop.example'));
    expect(answer).toMatch(/^HTTP\/1\.1 508 Loop Detected\r\n/);
    expect(answer).toContain('what it was sent on to has sent it back');
    expect(one.outcomes()).toEqual({ refused: 1, 'app-error': 1 });
    expect(two.outcomes()).toEqual({ 'app-error': 1 });
  });

  it('is refused where the edge is its own upstream, and when a hop calls the field its own', async () => {
    const edge = await testEdge([]);
    apply(edge, KEYS[0], inFrontOf('shop/production', '*', edge.port));
    expect(await edge.say(get('shop.example'))).toMatch(/^HTTP\/1\.1 508 /);
    const proxy = await proxyTo(edge.port, 'shop.example', { connection: 'close, CDN-Loop' });
    const other = await testEdge([]);
    apply(other, KEYS[1], inFrontOf('shop/production', '*', proxy.port));
    apply(edge, KEYS[0], inFrontOf('shop/production', '*', other.port));
    expect(await edge.say(get('shop.example'))).toMatch(/^HTTP\/1\.1 508 /);
  });

  it('is taken for another environment of the same edge', async () => {
    const origin = await recordingOrigin();
    const edge = await testEdge([]);
    const proxy = await proxyTo(edge.port, 'inner.example');
    apply(
      edge,
      KEYS[0],
      inFrontOf('shop/production', 'outer.example', proxy.port),
      inFrontOf('app/production', 'inner.example', origin.port),
    );
    const names = 'CDN-Loop: other-cdn; hops=2\r\n';
    expect(await edge.say(get('outer.example', names))).toMatch(/^HTTP\/1\.1 200 /);
    expect(origin.seen[0]?.headers['cdn-loop']).toMatch(
      /^other-cdn; hops=2, belay-[0-9a-f]{16}, belay-[0-9a-f]{16}$/,
    );
  });

  it('is told by its name alone, not by the text of it elsewhere', async () => {
    const origin = await recordingOrigin();
    const edge = await testEdge([]);
    apply(edge, KEYS[0], inFrontOf('shop/production', '*', origin.port));
    await edge.say(get('shop.example'));
    const name = String(origin.seen[0]?.headers['cdn-loop']);
    expect(await edge.say(get('shop.example', `X-Seen: ${name}\r\n`))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await edge.say(get('shop.example', `CDN-Loop: x${name}\r\n`))).toMatch(/ 200 /);
    expect(await edge.say(get('shop.example', `CDN-Loop: a, ${name};n=1\r\n`))).toMatch(/ 508 /);
  });

  it('is not looked for where Belay started the targets: those hear nothing of it', async () => {
    const origin = await recordingOrigin();
    const edge = await testEdge([{ port: origin.port }]);
    await edge.say(get('shop.example'));
    expect(origin.seen[0]?.headers['cdn-loop']).toBeUndefined();
  });
});
