import type { OutgoingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import type { RoutedCache } from '../../model/cache.ts';
import { httpOrigin, testEdge } from '../worker/edge.fixture.ts';

const routed: RoutedCache = {
  ...{ rules: [], release: null, purgedUpTo: 0, purges: [] },
  compress: true,
};
const TEXT = 'All work and no play. '.repeat(500);

interface Answered {
  status: number;
  fields: Map<string, string>;
  body: Buffer;
}

/** An edge before an app that answers everything alike. */
async function compressing(
  answer: { body?: string | Buffer; status?: number; fields?: OutgoingHttpHeaders } = {},
  cache: RoutedCache = routed,
) {
  const { body = TEXT, status = 200, fields = {} } = answer;
  let asked = 0;
  const app = await httpOrigin((request, response) => {
    asked += 1;
    const isKnown = request.headers['if-none-match'] === '"v1"';
    response.writeHead(isKnown ? 304 : status, {
      'Cache-Control': 'max-age=60',
      'Content-Type': 'text/html; charset=utf-8',
      ETag: '"v1"',
      ...(isKnown ? {} : { 'Content-Length': body.length }),
      ...fields,
    });
    response.end(isKnown ? undefined : body);
  });
  const edge = await testEdge([{ port: app.port }], { rule: { cache } });
  const get = async (...lines: string[]): Promise<Answered> => {
    const head = ['GET /a HTTP/1.1', 'Host: shop.localhost', ...lines, '', ''].join('\r\n');
    return answered(await edge.say(head));
  };
  /** As clients get it once it has been made. */
  const made = async (...lines: string[]): Promise<Answered> => {
    for (;;) {
      const found = await get(...lines);
      if (found.fields.has('content-encoding')) return found;
    }
  };
  /** Long enough for what is made in a moment. */
  const lasting = async (...lines: string[]): Promise<Answered> => {
    for (let turn = 0; turn < 20; turn += 1) await get(...lines);
    return get(...lines);
  };
  return { edge, get, made, lasting, asked: () => asked };
}

function answered(text: string): Answered {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const fields = new Map<string, string>();
  for (const each of lines) {
    const colon = each.indexOf(':');
    const name = each.slice(0, colon).toLowerCase();
    const value = each.slice(colon + 1).trim();
    fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value);
  }
  const body = Buffer.from(text.slice(end + 4), 'latin1');
  return { status: Number(line.split(' ')[1]), fields, body };
}

const BROWSER = 'Accept-Encoding: gzip, deflate, br, zstd';

describe('what is kept', () => {
  it('goes out as it is first, and compressed once that has been made', async () => {
    const { get, made, asked } = await compressing();
    const first = await get(BROWSER);
    expect(first.fields.has('content-encoding')).toBe(false);
    const second = await get(BROWSER);
    expect(second.fields.has('content-encoding')).toBe(false);
    expect(second.fields.get('vary')).toBe('Accept-Encoding');
    expect(second.fields.get('etag')).toBe('"v1"');
    const later = await made(BROWSER);
    expect(Object.fromEntries(later.fields)).toMatchObject({
      'content-encoding': 'br',
      'content-length': String(later.body.length),
      'content-type': 'text/html; charset=utf-8',
      vary: 'Accept-Encoding',
      etag: 'W/"v1"',
      'cache-status': expect.stringContaining('belay; hit; ttl='),
    });
    expect(brotliDecompressSync(later.body).toString()).toBe(TEXT);
    expect(asked()).toBe(1);
  });

  test.each<[accepted: string | null, coding: string | undefined]>([
    [null, undefined],
    ['', undefined],
    ['identity', undefined],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP;q=0.5', 'gzip'],
    ['gzip, br;q=0.1', 'br'],
    ['gzip, br;q=0', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['*', 'br'],
    ['deflate, zstd', undefined],
  ])('for %j is %s', async (accepted, coding) => {
    const { get, made } = await compressing();
    const lines = accepted === null ? [] : [`Accept-Encoding: ${accepted}`];
    await get();
    await made(BROWSER);
    const { fields, body } = await (coding === undefined ? get : made)(...lines);
    expect(fields.get('content-encoding')).toBe(coding);
    const plain =
      { br: brotliDecompressSync, gzip: gunzipSync }[coding ?? ''] ?? ((b: Buffer) => b);
    expect(plain(body).toString()).toBe(TEXT);
  });

  test.each<[what: string, answer: Parameters<typeof compressing>[0]]>([
    ['is short', { body: 'a'.repeat(999) }],
    ['is an image', { fields: { 'Content-Type': 'image/png' } }],
    ['has no type', { fields: { 'Content-Type': '' } }],
    ['is a stream of events', { fields: { 'Content-Type': 'text/event-stream' } }],
    ['is compressed already', { fields: { 'Content-Encoding': 'deflate' } }],
    ['is not to be changed', { fields: { 'Cache-Control': 'max-age=60, no-transform' } }],
    ['has a digest of its bytes', { fields: { 'Content-Digest': 'sha-256=:AAAA:' } }],
    ['is an error', { status: 500, fields: { 'Cache-Control': 'max-age=60' } }],
    ['does not become shorter', { body: Buffer.from(randomish(5_000)) }],
  ])('is left alone where it %s', async (_, answer) => {
    const { lasting, get } = await compressing(answer);
    const first = await get(BROWSER);
    const later = await lasting(BROWSER);
    expect(later.fields.get('content-encoding')).toBe(first.fields.get('content-encoding'));
    expect(later.fields.get('etag')).toBe('"v1"');
    expect(later.body).toEqual(first.body);
  });

  test.each([
    'text/css',
    'application/json',
    'application/ld+json; charset=utf-8',
    'image/svg+xml',
    'application/wasm',
    'font/ttf',
    'APPLICATION/JAVASCRIPT',
  ])('is compressed where it is %s', async (type) => {
    const { get, made } = await compressing({ fields: { 'Content-Type': type } });
    await get(BROWSER);
    expect((await made(BROWSER)).fields.get('content-encoding')).toBe('br');
  });

  it('stays as it is where nobody asked for it', async () => {
    const { compress: _, ...plain } = routed;
    const { get, lasting } = await compressing({}, plain);
    await get(BROWSER);
    const later = await lasting(BROWSER);
    expect(later.fields.has('content-encoding')).toBe(false);
    expect(later.fields.has('vary')).toBe(false);
  });

  it('names Accept-Encoding beside what the app names', async () => {
    const { get, made } = await compressing({ fields: { Vary: 'Accept-Language' } });
    await get(BROWSER);
    const head = await made(BROWSER);
    expect(head.fields.get('content-encoding')).toBe('br');
    expect(head.fields.get('vary')).toBe('Accept-Language, Accept-Encoding');
  });
});

describe('a client that has it', () => {
  test.each(['"v1"', 'W/"v1"'])('as %s is told so, whichever form it has', async (etag) => {
    const { get, made } = await compressing();
    await get(BROWSER);
    await made(BROWSER);
    const { status, fields, body } = await get(BROWSER, `If-None-Match: ${etag}`);
    expect([status, body.length]).toEqual([304, 0]);
    expect(fields.has('content-encoding')).toBe(false);
  });

  it('of yesterday gets the new one compressed', async () => {
    const { get, made } = await compressing();
    await get(BROWSER);
    await made(BROWSER);
    const { status, fields } = await get(BROWSER, 'If-None-Match: W/"v0"');
    expect([status, fields.get('content-encoding')]).toEqual([200, 'br']);
  });

  it('in part gets the next part of what it is uncompressed', async () => {
    const { get, made } = await compressing();
    await get(BROWSER);
    await made(BROWSER);
    const { status, fields, body } = await get(BROWSER, 'Range: bytes=5-11', 'If-Range: "v1"');
    expect([status, fields.get('content-encoding')]).toEqual([206, undefined]);
    expect(body.toString()).toBe(TEXT.slice(5, 12));
    // A part of one form is no part of another.
    const { status: whole } = await get(BROWSER, 'Range: bytes=5-11', 'If-Range: W/"v1"');
    expect(whole).toBe(200);
  });
});

it('stays compressed when the app says that it has not changed', async () => {
  const { get, made, asked } = await compressing();
  await get(BROWSER);
  await made(BROWSER);
  const { fields, body } = await get(BROWSER, 'Cache-Control: no-cache');
  expect(asked()).toBe(2);
  expect(fields.get('cache-status')).toContain('fwd=request');
  expect(fields.get('content-encoding')).toBe('br');
  expect(fields.get('vary')).toBe('Accept-Encoding');
  expect(brotliDecompressSync(body).toString()).toBe(TEXT);
});

it('tells the length of what GET would get to HEAD', async () => {
  const { edge, get, made } = await compressing();
  await get(BROWSER);
  const { body } = await made(BROWSER);
  const head = await edge.say(`HEAD /a HTTP/1.1\r\nHost: shop.localhost\r\n${BROWSER}\r\n\r\n`);
  expect(answered(head).fields.get('content-length')).toBe(String(body.length));
  expect(head.endsWith('\r\n\r\n')).toBe(true);
});

it('counts what compressed forms take', async () => {
  const { edge, get, made } = await compressing();
  await get(BROWSER);
  const roomBytes = () => edge.worker.report(null, 'everything').cacheMemory?.sizeBytes ?? 0;
  const before = roomBytes();
  const { body } = await made(BROWSER);
  await made('Accept-Encoding: gzip');
  expect(roomBytes() - before).toBeGreaterThan(2 * body.length);
});

/** Bytes in which nothing repeats, the same on every run. */
function randomish(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  });
}
