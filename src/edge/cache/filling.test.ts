import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseResponseHead, type ResponseHead } from '../http/response-head.ts';
import { bodyOf, found, is, MB, type Scratch, scratch } from './disk/scratch-store.fixture.ts';
import { Filling } from './filling.ts';

const HEAD = parseResponseHead('HTTP/1.1 200 OK\r\n\r\n', 'GET') as ResponseHead;
const CHUNK_BYTES = 64 * 1024;

let place: Scratch;

beforeEach(() => {
  place = scratch();
});
afterEach(() => place.remove());

/** What somebody reads from there on, until there is no more. */
async function readOn(filling: Filling, position: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = position; at < filling.sizeBytes; ) {
    const held = filling.from(at);
    const piece = held === 'gone' ? await filling.readBack(at) : held;
    if (piece === null) break;
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

async function filled(boundBytes: number, body: Buffer, slowAt: number): Promise<Filling> {
  const store = await place.store(boundBytes);
  const filling = new Filling(HEAD, true, CHUNK_BYTES, () => store.create('key', 'a head', null));
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES);
    filling.data(chunk, 0, chunk.length);
    filling.trim([{ position: slowAt }, { position: filling.sizeBytes }]);
    // As the network does, it leaves the disk time.
    await filling.spill?.read(filling.sizeBytes - 1, 1).catch(() => {});
  }
  return filling;
}

describe('a body that is too large for memory', () => {
  it('is read to its end by a slow reader, and kept', async () => {
    const body = bodyOf(6 * MB);
    const filling = await filled(64 * MB, body, 0);
    expect(filling.from(0)).toBe('gone');
    expect((await readOn(filling, 0)).equals(body)).toBe(true);
    expect(filling.holds).toBe(true);
    expect(await filling.endSpill('a head')).toBe(true);
    filling.release();
    const store = await place.store();
    expect(await found(store, 'key')).toEqual(is('a head', body));
  });

  it('is read to its end by a slow reader although the disk gives up', async () => {
    const body = bodyOf(6 * MB);
    // The disk takes at most a quarter of its bound for one response.
    const filling = await filled(12 * MB, body, 2.5 * MB);
    expect(filling.holds).toBe(false);
    expect((await readOn(filling, 2.5 * MB)).equals(body.subarray(2.5 * MB))).toBe(true);
    // The slow one has to catch up before the app goes on.
    expect(filling.trim([{ position: 2.5 * MB }])).toBe(true);
    expect(filling.trim([{ position: 6 * MB }])).toBe(false);
    filling.release();
    expect(await (await place.store()).open('key')).toBe(null);
  });
});
