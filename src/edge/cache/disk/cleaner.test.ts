import { rmSync, statSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOnDisk } from './account.ts';
import type { DirectoryStore } from './directory-store.ts';
import {
  bodyOf,
  keep,
  keptFiles,
  MB,
  type Scratch,
  SOON,
  scratch,
} from './scratch-store.fixture.ts';

let place: Scratch;

beforeEach(() => {
  place = scratch();
});
afterEach(() => place.remove());

const sizeOf = (paths: readonly string[]): number =>
  paths.reduce((sum, path) => sum + bytesOnDisk(statSync(path).size), 0);

/** Each was last used a second after the one before; returns their files by key. */
async function keepInOrder(store: DirectoryStore, count: number): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const known = new Set(keptFiles(place.directory));
  for (let n = 0; n < count; n += 1) {
    expect(await keep(store, `key ${n}`, bodyOf(100_000))).toBe(true);
    const path = keptFiles(place.directory).find((each) => !known.has(each)) ?? '';
    known.add(path);
    files.set(`key ${n}`, path);
    const usedAtS = place.clock.now() / 1_000 - 10_000 + n;
    utimesSync(path, usedAtS, usedAtS);
  }
  return files;
}

const isKept = async (store: DirectoryStore, key: string): Promise<boolean> => {
  const response = await store.open(key);
  response?.close();
  return response !== null;
};

describe('the bound of the disk', () => {
  it('lets those go first that nobody has used for longest', async () => {
    const [eldest, other] = [await place.store(4 * MB), await place.store(4 * MB)];
    await keepInOrder(other, 39);
    // Used again, by any process.
    expect(await isKept(eldest, 'key 3')).toBe(true);
    await place.clock.advance(1_000);
    await expect.poll(() => sizeOf(keptFiles(place.directory)), SOON).toBeLessThan(0.86 * 4 * MB);
    expect(sizeOf(keptFiles(place.directory))).toBeGreaterThan(0.8 * 4 * MB);
    const left = await Promise.all([0, 1, 2, 3, 4, 38].map((n) => isKept(other, `key ${n}`)));
    expect(left).toEqual([false, false, false, true, false, true]);
    await expect.poll(() => other.sizeBytes, SOON).toBeLessThan(0.9 * 4 * MB);
  });

  it('is not exceeded before there is room again', async () => {
    const [one, other] = [await place.store(4 * MB), await place.store(4 * MB)];
    const begun: unknown[] = [];
    for (let n = 0; n < 60; n += 1) {
      begun.push(await keep(n % 2 ? one : other, `key ${n}`, bodyOf(100_000)));
    }
    expect(begun.at(-1)).toBe(null);
    expect(sizeOf(keptFiles(place.directory))).toBeLessThanOrEqual(4 * MB);
    expect(sizeOf(keptFiles(place.directory))).toBeGreaterThan(3.5 * MB);
    await place.clock.advance(1_000);
    await expect.poll(() => keep(one, 'again', bodyOf(100_000)), SOON).toBe(true);
    expect(place.troubles).toEqual([]);
  });

  it('counts what is there when nobody knows any more', async () => {
    const first = await place.store(4 * MB);
    await keepInOrder(first, 20);
    await first.close();
    // As a crash of the machine may leave it.
    rmSync(`${place.directory}/account`);
    const store = await place.store(4 * MB);
    expect(store.sizeBytes).toBe(0);
    await place.clock.advance(1_000);
    await expect.poll(() => store.sizeBytes, SOON).toBeGreaterThanOrEqual(2_000_000);
    expect(keptFiles(place.directory)).toHaveLength(20);
  });

  it('may become nothing, and more again', async () => {
    const store = await place.store(4 * MB);
    await keepInOrder(store, 5);
    store.setBound(0);
    expect(await isKept(store, 'key 1')).toBe(false);
    expect(store.create('key', '{}', 10)).toBe(null);
    await place.clock.advance(1_000);
    await expect.poll(() => keptFiles(place.directory), SOON).toEqual([]);
    store.setBound(4 * MB);
    await expect.poll(() => store.sizeBytes, SOON).toBe(0);
    expect(await keep(store, 'key', bodyOf(10))).toBe(true);
  });
});
