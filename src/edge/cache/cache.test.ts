import { describe, expect, test } from 'vitest';
import type { RoutedCache } from '../../model/cache.ts';
import { httpOrigin, testEdge } from '../worker/edge.fixture.ts';

const honouring: RoutedCache = { rules: [], release: null, purgedUpTo: 0, purges: [] };

const get = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: shop.localhost\r\n${more}\r\n`;

describe('what is kept', () => {
  test('answers without the app, with its age and a word of what was done', async () => {
    let asked = 0;
    const origin = await httpOrigin((_request, response) => {
      asked += 1;
      response.setHeader('Cache-Control', 'max-age=60');
      response.end(`answer ${asked}`);
    });
    const edge = await testEdge([{ port: origin.port }], { rule: { cache: honouring } });

    const client = edge.connect();
    client.socket.write(get('/a'));
    const first = await client.until(/answer 1/);
    expect(first).toContain('Cache-Status: belay; fwd=uri-miss; fwd-status=200; stored\r\n');
    client.take();
    client.socket.write(get('/a'));
    const second = await client.until(/answer 1/);
    expect(second).toMatch(/Age: 0\r\nCache-Status: belay; hit; ttl=(59|60)\r\n/);
    expect(asked).toBe(1);
    expect(edge.outcomes()).toEqual({ ok: 1, cached: 1 });
  });
});
