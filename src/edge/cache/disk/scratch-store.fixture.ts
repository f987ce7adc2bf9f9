import { hash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ManualClock, manualClock } from '../../../kernel/clock.ts';
import { DirectoryStore } from './directory-store.ts';
import type { DiskResponse, DiskStore, DiskWriter } from './disk-store.ts';

export const MB = 1024 * 1024;
/** How long what is not announced is waited for, on a machine that is busy. */
export const SOON = { timeout: 20_000, interval: 5 };

/** A directory of its own with stores in it, which go with it. */
export interface Scratch {
  directory: string;
  clock: ManualClock;
  /** What was told, in order. */
  troubles: string[];
  store(boundBytes?: number): Promise<DirectoryStore>;
  remove(): Promise<void>;
}

export function scratch(directory = mkdtempSync(join(tmpdir(), 'belay-disk-'))): Scratch {
  mkdirSync(directory, { recursive: true });
  // As of now, because the system dates files by its own clock.
  const clock = manualClock(statSync(directory).mtimeMs);
  const stores: DirectoryStore[] = [];
  const troubles: string[] = [];
  return {
    directory,
    clock,
    troubles,
    async store(boundBytes = 64 * MB) {
      const onTrouble = (trouble: string): number => troubles.push(trouble);
      const store = new DirectoryStore({ directory, boundBytes, clock, onTrouble });
      stores.push(store);
      await store.start();
      return store;
    },
    async remove() {
      await Promise.all(stores.map((store) => store.close()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The files of kept responses. */
export function keptFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.length === 2)
    .flatMap((shard) =>
      readdirSync(join(directory, shard)).map((name) => join(directory, shard, name)),
    );
}

/** What is being written, or was when its process ended. */
export function halfWritten(directory: string): string[] {
  const writing = join(directory, 'writing');
  return readdirSync(writing).flatMap((name) => readdirSync(join(writing, name)));
}

export interface Found {
  head: string;
  /** Digest of the body: to compare megabytes takes a test framework seconds. */
  body: string;
}

export const is = (head: string, body: Buffer): Found => ({ head, body: hash('sha256', body) });

/** Everything that is kept under the key. */
export async function found(store: DiskStore, key: string): Promise<Found | null> {
  const response = await store.open(key);
  if (response === null) return null;
  try {
    return is(response.head, await allOf(response));
  } finally {
    response.close();
  }
}

export async function allOf(from: DiskResponse | DiskWriter, pieceBytes = MB): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let position = 0;
  for (;;) {
    const piece = await from.read(position, pieceBytes);
    if (piece.length === 0) return Buffer.concat(pieces);
    pieces.push(piece);
    position += piece.length;
  }
}

/** Whether it was kept; null: it was not begun. */
export async function keep(
  store: DiskStore,
  key: string,
  body: Buffer,
  head = '{"status":200}',
): Promise<boolean | null> {
  const writer = store.create(key, head, body.length);
  if (writer === null) return null;
  for (let at = 0; at < body.length; at += 50_000) writer.write(body.subarray(at, at + 50_000));
  const kept = await writer.finish();
  writer.close();
  return kept;
}

export const bodyOf = (bytes: number): Buffer => randomBytes(bytes);
