import { execFile } from 'node:child_process';
import { statSync, unlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { bytesOnDisk } from './account.ts';
import { namesIn, shardsIn, writingIn } from './places.ts';

/**
 * One look at all that is kept, which makes room where there is too much: what was used last longest
 * ago goes first. It is a process of its own, behind all others: a million files take it seconds and
 * some memory, which a worker would never give back.
 */

export interface Cleaning {
  directory: string;
  boundBytes: number;
  /** What is left where there was more than the bound. */
  keepBytes: number;
}

export interface Cleaned {
  files: number;
  totalBytes: number;
  freedBytes: number;
}

/** This module is the program too. */
const PROGRAM = import.meta.filename;
const LOWEST_PRIORITY = 19;
/** A disk that takes longer does not get cleaner by another one. */
const MOST_MS = 10 * 60_000;

/** Resolves when it is done; null: it was not. */
export function cleanAside(cleaning: Cleaning): { done: Promise<Cleaned | null>; stop(): void } {
  const stopped = new AbortController();
  const options = { signal: stopped.signal, timeout: MOST_MS };
  const done = new Promise<Cleaned | null>((resolve) => {
    const child = execFile(
      process.execPath,
      [PROGRAM, JSON.stringify(cleaning)],
      options,
      (error, text) => resolve(error === null ? (JSON.parse(text) as Cleaned) : null),
    );
    child.unref();
  });
  return { done, stop: () => stopped.abort() };
}

/** Counts what is kept, and what is being written; deletes what is too much. */
function clean({ directory, boundBytes, keepBytes }: Cleaning): Cleaned {
  const beingWritten = sizesIn(writingIn(directory)).bytes.reduce((sum, each) => sum + each, 0);
  const kept = sizesIn(shardsIn(directory));
  const keptBytes = kept.bytes.reduce((sum, each) => sum + each, 0);
  const tooMuch = beingWritten + keptBytes > boundBytes ? beingWritten + keptBytes - keepBytes : 0;
  const freedBytes = tooMuch > 0 ? deleteOldest(directory, kept, tooMuch) : 0;
  return {
    files: kept.bytes.length,
    totalBytes: beingWritten + keptBytes - freedBytes,
    freedBytes,
  };
}

/** Of files, in the same order. Without their names: there may be millions. */
interface Sizes {
  bytes: number[];
  usedAtMs: number[];
}

function sizesIn(directories: readonly string[]): Sizes {
  const sizes: Sizes = { bytes: [], usedAtMs: [] };
  for (const directory of directories) {
    for (const name of namesIn(directory)) {
      const stats = statSync(join(directory, name), { throwIfNoEntry: false });
      if (stats === undefined) continue;
      sizes.bytes.push(bytesOnDisk(stats.size));
      sizes.usedAtMs.push(stats.mtimeMs);
    }
  }
  return sizes;
}

/** Looks again for those that were last used before the time up to which it is enough. */
function deleteOldest(directory: string, sizes: Sizes, tooMuchBytes: number): number {
  const lastMs = timeUpTo(sizes, tooMuchBytes);
  let freedBytes = 0;
  for (const shard of shardsIn(directory)) {
    for (const name of namesIn(shard)) {
      const path = join(shard, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined || stats.mtimeMs > lastMs) continue;
      if (freedBytes >= tooMuchBytes && stats.mtimeMs === lastMs) continue;
      if (isDeleted(path)) freedBytes += bytesOnDisk(stats.size);
    }
  }
  return freedBytes;
}

/** Not when somebody else has deleted it, or nobody can. */
function isDeleted(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Those used last up to this time are enough. */
function timeUpTo({ bytes, usedAtMs }: Sizes, enoughBytes: number): number {
  const order = Uint32Array.from(bytes.keys()).sort(
    (one, other) => (usedAtMs[one] ?? 0) - (usedAtMs[other] ?? 0),
  );
  let sum = 0;
  for (const index of order) {
    sum += bytes[index] ?? 0;
    if (sum >= enoughBytes) return usedAtMs[index] ?? 0;
  }
  return Number.POSITIVE_INFINITY;
}

if (import.meta.main) {
  process.title = 'belay cache cleaning';
  setPriority(LOWEST_PRIORITY);
  process.stdout.write(JSON.stringify(clean(JSON.parse(process.argv[2] ?? '') as Cleaning)));
}
