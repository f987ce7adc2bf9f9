import { describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { DEFAULT_TRAFFIC } from '../../model/traffic.ts';
import { recordingOrigin, snapshot, statuses, testEdge } from './edge.fixture.ts';

/** What is believed of whom: 127.0.0.1 stands for a proxy. */

const settings = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] };
const get = (fields: string) => `GET / HTTP/1.1\r\nHost: shop.localhost\r\n${fields}\r\n`;

const SPOKEN =
  'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.7, 10.0.0.9\r\n' +
  'X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-Port: 443\r\n' +
  'Forwarded: for=203.0.113.7;proto=https\r\nX-Request-Id: edge-7/abc==\r\n' +
  'X-Forwarded-Prefix: /evil\r\nX_Forwarded_For: 6.6.6.6\r\n';

async function told(fields: string, trusted: string[] = settings.trustedProxies) {
  const app = await recordingOrigin();
  const edge = await testEdge([{ port: app.port }], { settings: { trustedProxies: trusted } });
  await edge.say(get(fields));
  return { port: String(edge.port), headers: app.seen[0]?.headers ?? {} };
}

describe('a trusted proxy', () => {
  it('is believed, and added to', async () => {
    const { headers } = await told(SPOKEN);
    expect(headers).toEqual({
      host: 'shop.localhost',
      'x-forwarded-for': '1.2.3.4, 203.0.113.7, 10.0.0.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-port': '443',
      forwarded: 'for=203.0.113.7;proto=https, for=127.0.0.1;host="shop.localhost";proto=http',
      'x-request-id': 'edge-7/abc==',
    });
  });

  it('that says nothing is the client itself', async () => {
    const { headers, port } = await told('');
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.localhost',
      'x-forwarded-port': port,
      forwarded: 'for=127.0.0.1;host="shop.localhost";proto=http',
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}-1$/);
  });

  it('that writes no Forwarded has one made of what else it says', async () => {
    const { headers } = await told(
      'X-Forwarded-For: 2001:db8::7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n',
    );
    expect(headers.forwarded).toBe('for="[2001:db8::7]";host="shop.example";proto=https');
  });

  it('is believed in nothing of bad form', async () => {
    const { headers, port } = await told(
      'X-Forwarded-Proto: ht"tp\r\nX-Forwarded-Host: a"b\r\nX-Forwarded-Port: 4x3\r\nX-Request-Id: a b\r\n',
    );
    expect(headers).toMatchObject({
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.localhost',
      'x-forwarded-port': port,
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}-1$/);
  });

  it('has the last word where its client has spoken before it', async () => {
    const { headers } = await told(
      'X-Forwarded-Proto: ftp\r\nX-Forwarded-Proto: gopher, https\r\nX-Request-Id: forged\r\nX-Request-Id: own\r\n',
    );
    expect(headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-request-id': 'own' });
  });

  it('cannot be silenced by a client that names its fields in Connection', async () => {
    const { headers } = await told(
      'Connection: x-forwarded-for, x-forwarded-proto\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n',
    );
    expect(headers).toMatchObject({
      'x-forwarded-for': '203.0.113.7, 127.0.0.1',
      'x-forwarded-proto': 'https',
    });
  });

  it('may name thirty addresses; more are refused', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { settings });
    const chain = (count: number) =>
      get(`X-Forwarded-For: ${Array(count).fill('203.0.113.7').join(',')}\r\n`);
    expect(statuses(await edge.say(chain(30)))).toEqual([200]);
    const received = await edge.say(chain(31), chain(1));
    expect(statuses(received)).toEqual([400]);
    expect(received).toContain('more than 30 addresses');
    expect(edge.outcomes()).toEqual({ ok: 1, refused: 1 });
  });

  it('speaks for each request anew, on one connection', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { settings });
    await edge.say(
      get('X-Forwarded-For: 203.0.113.7\r\nX-Request-Id: one\r\n'),
      get(''),
      get('X-Forwarded-For: 203.0.113.8\r\n'),
    );
    expect(app.seen.map(({ headers }) => headers['x-forwarded-for'])).toEqual([
      '203.0.113.7, 127.0.0.1',
      '127.0.0.1',
      '203.0.113.8, 127.0.0.1',
    ]);
    expect(app.seen[1]?.headers['x-request-id']).not.toBe('one');
  });

  it('is one no more from the snapshot on that leaves it out', async () => {
    const app = await recordingOrigin();
    const edge = await testEdge([{ port: app.port }], { settings });
    const client = edge.connect();
    const ask = async () => {
      client.take();
      client.socket.write(get(SPOKEN));
      await client.until(/ok$/);
    };
    await ask();
    edge.worker.apply(snapshot({ number: 2, targets: [{ port: app.port }] }));
    await ask();
    expect(app.seen[1]?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    });
  });

  it('has its clients’ rates counted, not its own', async () => {
    const app = await recordingOrigin();
    const perClient = { requestsPerSecond: 1, burst: 1 };
    const edge = await testEdge([{ port: app.port }], {
      clock: manualClock(),
      settings,
      rule: { admission: { ...DEFAULT_TRAFFIC.admission, perClient } },
    });
    const from = (address: string) => get(`X-Forwarded-For: 1.2.3.4, ${address}\r\n`);
    const received = await edge.say(
      from('203.0.113.7'),
      from('203.0.113.7'),
      from('2001:db8:1:2::7'),
      from('2001:db8:1:2::8'),
      from('2001:db8:1:3::7'),
    );
    expect(statuses(received)).toEqual([200, 429, 200, 429, 200]);
  });
});

describe('anybody else', () => {
  it('is not believed in anything', async () => {
    const { headers, port } = await told(SPOKEN, ['10.0.0.0/8']);
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.localhost',
      'x-forwarded-port': port,
      forwarded: 'for=127.0.0.1;host="shop.localhost";proto=http',
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}-1$/);
    expect(headers).not.toHaveProperty('x-forwarded-prefix');
  });

  it('may name as many addresses as it likes, since nobody reads them', async () => {
    const { headers } = await told(`X-Forwarded-For: ${'1.2.3.4,'.repeat(100)}\r\n`, []);
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
  });
});
