import { existsSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemCode } from '../../../kernel/fault.ts';
import type { DirectoryStore } from './directory-store.ts';
import { BLOCK_BYTES, FOOTER_BYTES } from './file-layout.ts';
import {
  allOf,
  bodyOf,
  type Found,
  found,
  is,
  keep,
  keptFiles,
  type Scratch,
  scratch,
} from './scratch-store.fixture.ts';

/** Whatever is done to the files: what is read is what was written, or it is not there. */

const HEAD = '{"status":200,"fields":"Content-Type: text/html"}';

let place: Scratch;
let store: DirectoryStore;

beforeEach(async () => {
  place = scratch();
  store = await place.store();
});
afterEach(() => place.remove());

/** As of somebody who asks for it; `damaged` while reading is as good as nothing. */
async function readable(key: string): Promise<Found | null> {
  try {
    return await found(store, key);
  } catch (thrown) {
    expect(systemCode(thrown)).toBe('cache-damaged');
    return null;
  }
}

async function keptFile(key: string, body: Buffer): Promise<string> {
  const before = new Set(keptFiles(place.directory));
  expect(await keep(store, key, body, HEAD)).toBe(true);
  return keptFiles(place.directory).find((path) => !before.has(path)) ?? '';
}

/** In place, as a disk or a stray program does it. */
function flip(path: string, position: number): void {
  const bytes = readFileSync(path);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

interface Change {
  kind: keyof typeof changes;
  /** Places, as parts of the whole. */
  from: number;
  to: number;
  bytes: number;
}

/** What may happen to a file. */
const changes = {
  flip: (file: Buffer, { from, bytes }: Change) => {
    const at = Math.floor(from * file.length);
    file[at] = (file[at] ?? 0) ^ (1 + (bytes % 255));
    return file;
  },
  erase: (file: Buffer, { from, bytes }: Change) => {
    const at = Math.floor(from * file.length);
    return file.fill(0, at, Math.min(at + bytes, file.length));
  },
  cut: (file: Buffer, { from }: Change) => file.subarray(0, Math.floor(from * file.length)),
  extend: (file: Buffer, { bytes }: Change) => Buffer.concat([file, bodyOf(bytes)]),
  misplace: (file: Buffer, { from, to, bytes }: Change) => {
    const at = Math.floor(from * file.length);
    file.copy(file, Math.floor(to * file.length), at, at + bytes);
    return file;
  },
  misplaceBlock: (file: Buffer, { from, to }: Change) => {
    const at = Math.floor((from * file.length) / BLOCK_BYTES) * BLOCK_BYTES;
    const place = Math.floor((to * file.length) / BLOCK_BYTES) * BLOCK_BYTES;
    file.copy(file, place, at, at + BLOCK_BYTES);
    return file;
  },
  endAsAnother: (file: Buffer, { from }: Change, other: Buffer) =>
    Buffer.concat([
      file.subarray(0, file.length - 800 - Math.floor(from * 100)),
      other.subarray(-800),
    ]),
};

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const anyChange: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...(Object.keys(changes) as Change['kind'][])),
  from: part,
  to: part,
  bytes: fc.integer({ min: 1, max: BLOCK_BYTES }),
});

describe('a damaged file', () => {
  it('gives nothing, whichever of its bytes is not right', async () => {
    const path = await keptFile('https://example.com/a', bodyOf(300));
    const bytes = readFileSync(path);
    for (let position = 0; position < bytes.length; position += 1) {
      const wrong = Buffer.from(bytes);
      wrong[position] = (wrong[position] ?? 0) ^ (1 << (position % 8));
      writeFileSync(path, wrong);
      expect(await readable('https://example.com/a'), `byte ${position}`).toBe(null);
      expect(existsSync(path)).toBe(false);
    }
    expect(place.troubles).toEqual(['damaged']);
  });

  it('is not one of another version, which goes without a word', async () => {
    const path = await keptFile('key', bodyOf(300));
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(2, bytes.length - FOOTER_BYTES + 8);
    writeFileSync(path, bytes);
    expect(await readable('key')).toBe(null);
    expect(existsSync(path)).toBe(false);
    expect(place.troubles).toEqual([]);
  });

  it('gives what was written or nothing, whatever was done to it', async () => {
    const bodies = [bodyOf(2_000), bodyOf(3 * BLOCK_BYTES + 10)];
    const paths = [await keptFile('small', bodyOf(0)), await keptFile('large', bodyOf(1))];
    await keep(store, 'small', bodies[0] ?? bodyOf(0), HEAD);
    await keep(store, 'large', bodies[1] ?? bodyOf(0), HEAD);
    const files = paths.map((path) => readFileSync(path));
    const property = async (n: number, all: Change[]): Promise<void> => {
      const [path = '', file, other] = [paths[n], files[n], files[1 - n]];
      let bytes = Buffer.from(file ?? []);
      for (const each of all) bytes = Buffer.from(changes[each.kind](bytes, each, other ?? bytes));
      writeFileSync(path, bytes);
      const read = await readable(['small', 'large'][n] ?? '');
      if (read !== null) expect(read).toEqual(is(HEAD, bodies[n] ?? bodyOf(0)));
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(1), fc.array(anyChange, { minLength: 1, maxLength: 3 }), property),
      { numRuns: process.env.BELAY_NIGHTLY ? 20_000 : 250 },
    );
  }, 300_000);

  it('is not taken for the one whose name it has', async () => {
    const one = await keptFile('one', bodyOf(100));
    const other = await keptFile('other', bodyOf(100));
    renameSync(other, one);
    expect(await readable('one')).toBe(null);
    expect(await readable('other')).toBe(null);
    expect(place.troubles).toEqual(['damaged']);
  });

  it('gives what is right before it, and is gone then', async () => {
    const body = bodyOf(10 * BLOCK_BYTES);
    const path = await keptFile('key', body);
    flip(path, 6 * BLOCK_BYTES + 1);
    const response = await store.open('key');
    const first = await response?.read(0, 4 * BLOCK_BYTES);
    expect(first?.equals(body.subarray(0, 4 * BLOCK_BYTES))).toBe(true);
    await expect(response?.read(4 * BLOCK_BYTES, 4 * BLOCK_BYTES)).rejects.toMatchObject({
      code: 'cache-damaged',
    });
    response?.close();
    expect(place.troubles).toEqual(['damaged']);
    expect(await store.open('key')).toBe(null);
  });

  it('is found out while it is read over and over, and known to be right', async () => {
    const body = bodyOf(10 * BLOCK_BYTES);
    const path = await keptFile('key', body);
    // Nobody has changed it for a while, so what is checked is not checked each time.
    utimesSync(path, new Date(), new Date());
    await place.clock.advance(5_000);
    const response = await store.open('key');
    for (const _ of [1, 2, 3]) {
      expect(response && (await allOf(response)).equals(body)).toBe(true);
    }
    flip(path, 5 * BLOCK_BYTES);
    await expect(response && allOf(response)).rejects.toMatchObject({ code: 'cache-damaged' });
    response?.close();
    expect(await store.open('key')).toBe(null);
  });

  it('does not keep another from its place', async () => {
    flip(await keptFile('key', bodyOf(1_000)), 10);
    expect(await readable('key')).toBe(null);
    const body = bodyOf(1_000);
    await keep(store, 'key', body, HEAD);
    expect(await readable('key')).toEqual(is(HEAD, body));
  });
});
