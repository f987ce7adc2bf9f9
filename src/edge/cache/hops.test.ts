import { describe, expect, it } from 'vitest';
import { httpOrigin, type TestEdge, testEdge } from '../worker/edge.fixture.ts';

/** What is kept, on connections of any kind. */

const cache = { rules: [], release: null, purgedUpTo: 0, purges: [] };

async function edgeWithAnswer(body: string, chunked = false): Promise<TestEdge> {
  const origin = await httpOrigin((_request, response) => {
    response.setHeader('Cache-Control', 'max-age=60');
    if (!chunked) response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  });
  return testEdge([{ port: origin.port }], { rule: { cache } });
}

const get = (version = '1.1', more = ''): string =>
  `GET /a HTTP/${version}\r\nHost: shop.localhost\r\n${more}\r\n`;

const bodies = (received: string): string[] =>
  received
    .split(/HTTP\/1\.1 200 OK\r\n/)
    .slice(1)
    .map((text) => text.split('\r\n\r\n')[1] ?? '');

describe('what is kept', () => {
  it('is given to HTTP/1.0, which is told that the connection ends', async () => {
    const edge = await edgeWithAnswer('kept', true);
    await edge.say(get());
    const received = await edge.say(get('1.0'));
    expect(received).toMatch(/\r\nContent-Length: 4\r\n/);
    expect(received).toMatch(/\r\nConnection: close\r\n/);
    expect(received).not.toMatch(/Transfer-Encoding/);
    expect(bodies(received)).toEqual(['kept']);
  });

  it('is given to HTTP/1.0 on a connection that stays, where it asks for that', async () => {
    const edge = await edgeWithAnswer('kept');
    await edge.say(get());
    const client = edge.connect();
    for (let i = 0; i < 2; i += 1) {
      client.socket.write(get('1.0', 'Connection: keep-alive\r\n'));
      const received = await client.until(/kept$/);
      expect(received).toMatch(/\r\nConnection: keep-alive\r\n/);
      client.take();
    }
  });

  it('is given to many requests at once, in their order', async () => {
    const edge = await edgeWithAnswer('kept');
    const received = await edge.say(get().repeat(50));
    expect(bodies(received)).toEqual(Array(50).fill('kept'));
    expect(edge.outcomes()).toEqual({ ok: 1, cached: 49 });
  });

  it.each([0, 1, 4_095, 4_096, 4_097, 65_535, 65_537, 1_000_000])(
    'is byte for byte what it was: %i of them',
    async (size) => {
      const body = 'x'.repeat(Math.max(0, size - 1)) + (size > 0 ? 'y' : '');
      const edge = await edgeWithAnswer(body, true);
      const [first, second] = [await edge.say(get()), await edge.say(get())];
      expect(first.endsWith(`\r\n${body}`) || first.includes(body)).toBe(true);
      expect(second).toContain(`Content-Length: ${size}\r\n`);
      expect(second.slice(second.indexOf('\r\n\r\n') + 4)).toBe(body);
      expect(second).toMatch(/Cache-Status: belay; hit/);
    },
  );

  it.each([
    [1_000_000, 1],
    [5_000_000, 2],
  ])(
    'is a part of it, if that is not too large: %i bytes, asked for %i times',
    async (size, times) => {
      let asked = 0;
      const body = Buffer.alloc(size, 'x');
      const origin = await httpOrigin((_request, response) => {
        asked += 1;
        const range = `bytes 0-${size - 1}/${size * 2}`;
        const fields = { ETag: '"a"', 'Content-Range': range, 'Content-Length': size };
        response.writeHead(206, { ...fields, 'Cache-Control': 'max-age=60' }).end(body);
      });
      const edge = await testEdge([{ port: origin.port }], { rule: { cache } });
      for (let i = 0; i < 2; i += 1) {
        const received = await edge.say(get('1.1', `Range: bytes=0-${size - 1}\r\n`));
        expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toHaveLength(size);
      }
      expect(asked).toBe(times);
    },
  );

  it('ends the connection where the client asks for that', async () => {
    const edge = await edgeWithAnswer('kept');
    await edge.say(get());
    const client = edge.connect();
    client.socket.write(get('1.1', 'Connection: close\r\n'));
    expect(await client.closed).toMatch(/\r\nConnection: close\r\n/);
  });
});
