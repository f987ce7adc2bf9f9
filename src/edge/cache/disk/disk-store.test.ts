import { readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allOf,
  bodyOf,
  found,
  halfWritten,
  is,
  keep,
  keptFiles,
  MB,
  type Scratch,
  SOON,
  scratch,
} from './scratch-store.fixture.ts';

const HEAD = '{"status":200}';

let place: Scratch;

beforeEach(() => {
  place = scratch();
});
afterEach(() => place.remove());

describe('kept responses on disk', () => {
  it.each([0, 1, 1_000, 65_535, 65_536, 65_537, 300_000, 3 * MB])(
    'are what was written, in this process and in others, with %i bytes',
    async (size) => {
      const store = await place.store();
      const body = bodyOf(size);
      expect(await keep(store, 'a key', body, HEAD)).toBe(true);
      expect(await found(store, 'a key')).toEqual(is(HEAD, body));
      expect(await found(store, 'another key')).toBe(null);
      expect(await found(await place.store(), 'a key')).toEqual(is(HEAD, body));
    },
  );

  it('are read from any place', async () => {
    const store = await place.store();
    const body = bodyOf(500_000);
    await keep(store, 'key', body);
    const response = await store.open('key');
    for (const at of [0, 1, 65_535, 65_536, 131_000, 499_999]) {
      for (const most of [1, 1_000, 65_536, 100_000, MB]) {
        const piece = (await response?.read(at, most)) ?? Buffer.alloc(0);
        expect(piece.length).toBeGreaterThan(0);
        expect(piece.length).toBeLessThanOrEqual(most);
        expect(piece.equals(body.subarray(at, at + piece.length))).toBe(true);
      }
    }
    expect(await response?.read(500_000, 1)).toHaveLength(0);
    response?.close();
  });

  it('stay over the end of all processes', async () => {
    const first = await place.store();
    const body = bodyOf(200_000);
    await keep(first, 'key', body);
    await first.close();
    expect(await found(await place.store(), 'key')).toEqual(is(HEAD, body));
  });

  it('are for the owner alone', async () => {
    const store = await place.store();
    await keep(store, 'key', bodyOf(10));
    const [file = ''] = keptFiles(place.directory);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    expect(statSync(join(place.directory, 'writing')).mode & 0o777).toBe(0o700);
  });

  it('take each other’s place, while who reads the earlier one reads on', async () => {
    const [one, other] = [await place.store(), await place.store()];
    const [earlier, later] = [bodyOf(500_000), bodyOf(500_001)];
    await keep(one, 'key', earlier);
    const reading = await one.open('key');
    await keep(other, 'key', later);
    expect(await found(one, 'key')).toEqual(is(HEAD, later));
    expect(reading && (await allOf(reading)).equals(earlier)).toBe(true);
    reading?.close();
    expect(keptFiles(place.directory)).toHaveLength(1);
  });

  it('are gone for all when one deletes them', async () => {
    const [one, other] = [await place.store(), await place.store()];
    await keep(one, 'key', bodyOf(100_000));
    expect(await found(other, 'key')).not.toBe(null);
    one.delete('key');
    await expect.poll(() => keptFiles(place.directory), SOON).toEqual([]);
    expect(await found(other, 'key')).toBe(null);
  });

  it('are gone although they were being written when they were deleted', async () => {
    const store = await place.store();
    for (let rounds = 0; rounds < 30; rounds += 1) {
      const key = `key ${rounds}`;
      const writing = keep(store, key, bodyOf(1_000));
      // At every moment of it.
      for (let round = 0; round < rounds; round += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      store.delete(key);
      await writing;
    }
    await expect.poll(() => keptFiles(place.directory), SOON).toEqual([]);
  });

  it('are read again from buffers that came back', async () => {
    const store = await place.store();
    const body = bodyOf(MB);
    await keep(store, 'key', body);
    const response = await store.open('key');
    const first = (await response?.read(0, MB)) ?? Buffer.alloc(0);
    store.recycle(first);
    store.recycle(first);
    const [second, third] = [await response?.read(0, MB), await response?.read(0, MB)];
    expect(second?.buffer).toBe(first.buffer);
    expect(third?.buffer).not.toBe(first.buffer);
    expect(third?.equals(body.subarray(0, third.length))).toBe(true);
    response?.close();
  });
});

describe('a head on disk', () => {
  it('changes without its body, for all', async () => {
    const [one, other] = [await place.store(), await place.store()];
    const body = bodyOf(200_000);
    await keep(one, 'key', body);
    const response = await other.open('key');
    const { ino } = statSync(keptFiles(place.directory)[0] ?? '');
    await one.updateHead('key', response?.id ?? '', '{"status":200,"date":"later, and longer"}');
    const later = is('{"status":200,"date":"later, and longer"}', body);
    expect(await found(one, 'key')).toEqual(later);
    expect(await found(other, 'key')).toEqual(later);
    expect(statSync(keptFiles(place.directory)[0] ?? '').ino).toBe(ino);
    response?.close();
  });

  it('may be too long for its place', async () => {
    const store = await place.store();
    const body = bodyOf(700_000);
    await keep(store, 'key', body);
    const response = await store.open('key');
    const long = JSON.stringify({ header: 'x'.repeat(2_000) });
    await store.updateHead('key', response?.id ?? '', long);
    response?.close();
    expect(await found(store, 'key')).toEqual(is(long, body));
    await store.updateHead('key', response?.id ?? '', HEAD);
    expect(await found(store, 'key')).toEqual(is(HEAD, body));
  });

  it('is not given to another body', async () => {
    const store = await place.store();
    await keep(store, 'key', bodyOf(1_000));
    const earlier = await store.open('key');
    const body = bodyOf(2_000);
    await keep(store, 'key', body);
    await store.updateHead('key', earlier?.id ?? '', '{"of":"the earlier"}');
    earlier?.close();
    expect(await found(store, 'key')).toEqual(is(HEAD, body));
    await store.updateHead('none', '0000000000000000', HEAD);
    expect(place.troubles).toEqual([]);
  });
});

describe('a writer', () => {
  it('lets what it has been given be read at once', async () => {
    const store = await place.store();
    const body = bodyOf(MB);
    const writer = store.create('key', HEAD, null);
    if (writer === null) throw new Error('it is not taken');
    for (let at = 0; at < body.length; ) {
      const piece = body.subarray(at, at + 30_001);
      writer.write(piece);
      const read = await writer.read(at, MB);
      expect(read.equals(piece)).toBe(true);
      at += piece.length;
    }
    expect(writer.pendingBytes).toBe(0);
    expect(await writer.read(MB, 1)).toHaveLength(0);
    expect((await allOf(writer)).equals(body)).toBe(true);
    expect(await store.open('key')).toBe(null);
    expect(await writer.finish('{"another":"head"}')).toBe(true);
    expect((await allOf(writer)).equals(body)).toBe(true);
    writer.close();
    expect(await found(store, 'key')).toEqual(is('{"another":"head"}', body));
  });

  it('can be read while it ends', async () => {
    const store = await place.store();
    const body = bodyOf(400_000);
    const writer = store.create('key', HEAD, null);
    writer?.write(body.subarray(0, 300_000));
    writer?.write(body.subarray(300_000));
    const readings = [0, 299_000, 399_999].map((at) => writer?.read(at, 1_000));
    expect(await writer?.finish()).toBe(true);
    const [first, second, third] = await Promise.all(readings);
    expect(first?.equals(body.subarray(0, 1_000))).toBe(true);
    expect(second?.equals(body.subarray(299_000, 299_000 + (second?.length ?? 0)))).toBe(true);
    expect(third?.equals(body.subarray(399_999))).toBe(true);
    writer?.close();
    expect(await found(store, 'key')).toEqual(is(HEAD, body));
  });

  it('leaves nothing when it is abandoned, and can be read until it is closed', async () => {
    const store = await place.store();
    const body = bodyOf(400_000);
    const writer = store.create('key', HEAD, null);
    writer?.write(body);
    await writer?.read(0, 1);
    writer?.abandon();
    expect((await writer?.read(0, 1_000))?.equals(body.subarray(0, 1_000))).toBe(true);
    expect(await writer?.finish()).toBe(false);
    writer?.close();
    await expect.poll(() => halfWritten(place.directory), SOON).toEqual([]);
    expect(await store.open('key')).toBe(null);
  });

  it('gives up on what is larger than the disk takes for one', async () => {
    const store = await place.store(4 * MB);
    expect(store.create('key', HEAD, 2 * MB)).toBe(null);
    const writer = store.create('key', HEAD, null);
    writer?.write(bodyOf(900_000));
    await writer?.read(0, 1);
    writer?.write(bodyOf(900_000));
    await expect(writer?.read(900_000, 1)).rejects.toMatchObject({ code: 'cache-disk-failed' });
    expect(await writer?.finish()).toBe(false);
    writer?.close();
    await expect.poll(() => halfWritten(place.directory), SOON).toEqual([]);
    expect(place.troubles).toEqual([]);
  });

  it('is not begun while there is too much to write', async () => {
    const store = await place.store(1024 * MB);
    const writers = Array.from({ length: 5 }, (_, n) => store.create(`key ${n}`, HEAD, null));
    for (const writer of writers) writer?.write(Buffer.alloc(4 * MB));
    expect(store.create('one more', HEAD, null)).toBe(null);
    await Promise.all(writers.map((writer) => writer?.finish()));
    for (const writer of writers) writer?.close();
    const next = store.create('one more', HEAD, null);
    expect(next).not.toBe(null);
    next?.close();
  });

  it('makes its directories anew when somebody has removed them', async () => {
    const store = await place.store();
    rmSync(place.directory, { recursive: true });
    expect(await keep(store, 'key', bodyOf(10))).toBe(false);
    expect(place.troubles).toEqual(['failed']);
    expect(store.state).toBe('off');
    await place.clock.advance(61_000);
    expect(await keep(store, 'key', bodyOf(10))).toBe(true);
    expect(place.troubles).toEqual(['failed', 'recovered']);
  });

  it('leaves no trace of a store that closes', async () => {
    const store = await place.store();
    const writer = store.create('key', HEAD, null);
    writer?.write(bodyOf(MB));
    await store.close();
    expect(readdirSync(join(place.directory, 'writing'))).toEqual([]);
    expect(store.create('key', HEAD, null)).toBe(null);
    expect(await store.open('key')).toBe(null);
  });
});
