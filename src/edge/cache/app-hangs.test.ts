import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { HONOUR_THE_APP } from '../../model/cache.ts';
import { rawOrigin, settled, testEdge } from '../worker/edge.fixture.ts';

/** An app that takes requests and does not answer them, before its checks have found out. */

const LIFETIME_MS = 60_000;
/** What waits for another's request waits so long; what waits for the app, so long. */
const COLLAPSED_MS = 10_000;
const ANSWER_MS = 60_000;

async function hanging(fields: string) {
  const clock = manualClock();
  let asked = 0;
  let hangs = false;
  const origin = await rawOrigin((socket) => {
    asked += 1;
    if (hangs) return;
    socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 4\r\n\r\npage`);
  });
  const edge = await testEdge([{ port: origin.port }], {
    clock,
    rule: { cache: { rules: [HONOUR_THE_APP], release: null, purgedUpTo: 0, purges: [] } },
  });
  const ask = () => {
    const client = edge.connect();
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    return client;
  };
  await ask().closed;
  await clock.advance(LIFETIME_MS + 1_000);
  hangs = true;
  asked = 0;
  return { ask, clock, edge, asked: () => asked };
}

describe('what is kept and stale, while the app hangs', () => {
  it('answers who waited for another, then all who come, and at last the one who asked', async () => {
    const { ask, clock, edge, asked } = await hanging('Cache-Control: max-age=60\r\n');
    const first = ask();
    await settled();
    const second = ask();
    await settled();
    expect(asked()).toBe(1);
    await clock.advance(COLLAPSED_MS + 1_000);
    expect(await second.closed).toMatch(/^HTTP\/1\.1 200 .*; detail=waited-in-vain\r\n.*page$/s);
    expect(await ask().closed).toMatch(/^HTTP\/1\.1 200 .*; detail=asked-in-vain\r\n.*page$/s);
    expect(first.received()).toBe('');
    await clock.advance(ANSWER_MS);
    expect(await first.closed).toMatch(/^HTTP\/1\.1 200 .*; detail=error\r\n.*page$/s);
    expect(asked()).toBe(1);
    expect(edge.outcomes()).toEqual({ ok: 1, cached: 3 });
  });

  it('answers nobody where the app forbids it: each asks for itself', async () => {
    const { ask, clock, asked } = await hanging('Cache-Control: max-age=60, must-revalidate\r\n');
    const first = ask();
    await settled();
    const second = ask();
    await clock.advance(COLLAPSED_MS + 1_000);
    await settled();
    expect(asked()).toBe(2);
    await clock.advance(ANSWER_MS + 1_000);
    for (const client of [first, second]) expect(await client.closed).toMatch(/^HTTP\/1\.1 504 /);
  });
});
