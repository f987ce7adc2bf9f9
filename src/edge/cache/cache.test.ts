import { describe, expect, test } from 'vitest';
import type { RoutedCache } from '../../model/cache.ts';
import { httpOrigin, rawOrigin, testEdge } from '../worker/edge.fixture.ts';

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

  test('is without what was said on the way and behind it, which the first has', async () => {
    const origin = await rawOrigin((socket) =>
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
          'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
      ),
    );
    const edge = await testEdge([{ port: origin.port }], { rule: { cache: honouring } });

    const client = edge.connect();
    client.socket.write(get('/a'));
    const first = await client.until(/X-Sum: 1\r\n\r\n$/);
    expect(first).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: /);
    client.take();
    client.socket.write(get('/a'));
    const second = await client.until(/ok$/);
    expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(second).not.toMatch(/X-Sum|Transfer-Encoding/);
    expect(origin.connectionCount).toBe(1);
  });
});
