import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../../kernel/clock.ts';
import { DirectoryStore } from './directory-store.ts';
import type { DiskResponse, DiskStore, DiskWriter } from './disk-store.ts';

const MB = 1024 * 1024;

let directory: string;
let clock: ManualClock;
let troubles: string[];
let stores: DirectoryStore[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'belay-disk-'));
  clock = manualClock();
  troubles = [];
  stores = [];
});

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function open(boundBytes = 64 * MB): Promise<DirectoryStore> {
  const onTrouble = (trouble: string): number => troubles.push(trouble);
  const store = new DirectoryStore({ directory, boundBytes, clock, onTrouble });
  stores.push(store);
  await store.start();
  return store;
}

async function keep(store: DiskStore, key: string, head: string, body: Buffer): Promise<void> {
  const writer = store.create(key, head, body.length);
  if (writer === null) throw new Error('it is not taken');
  for (let at = 0; at < body.length; at += 50_000) writer.write(body.subarray(at, at + 50_000));
  expect(await writer.finish()).toBe(true);
  writer.close();
}

async function allOf(from: DiskResponse | DiskWriter, mostBytes = 100_000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let position = 0;
  for (;;) {
    const piece = await from.read(position, mostBytes);
    if (piece.length === 0) return Buffer.concat(pieces);
    expect(piece.length).toBeLessThanOrEqual(mostBytes);
    pieces.push(piece);
    position += piece.length;
  }
}

interface Found {
  head: string;
  /** To compare megabytes in no time. */
  body: string;
}

const is = (head: string, body: Buffer): Found => ({ head, body: hash('sha256', body) });

async function found(store: DiskStore, key: string): Promise<Found | null> {
  const response = await store.open(key);
  if (response === null) return null;
  const body = await allOf(response);
  response.close();
  return is(response.head, body);
}

describe('kept responses on disk', () => {
  it.each([0, 1, 1_000, 65_535, 65_536, 65_537, 300_000, 3 * MB])(
    'gives back what was written, of %i bytes',
    async (size) => {
      const store = await open();
      const body = randomBytes(size);
      await keep(store, 'a key', '{"status":200}', body);
      expect(await found(store, 'a key')).toEqual(is('{"status":200}', body));
      const other = await open();
      expect(await found(other, 'a key')).toEqual(is('{"status":200}', body));
    },
  );
});
