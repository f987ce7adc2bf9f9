import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../kernel/fault.ts';
import type { BundleEntry, FileEntry } from './entry.ts';

/** What of an unpacked bundle is no longer as it was deployed. */
export interface Damage {
  path: string;
  /** `is missing`, `has 12 bytes instead of 40`. */
  why: string;
}

/**
 * How the system told a file when its content was last known to be right. Nobody can set the time
 * of the last change of an inode back, so what it tells alike has not been written to.
 */
export interface Sighting {
  sizeBytes: number;
  changedMs: number;
  inode: number;
}

export interface Inspection {
  damage: Damage[];
  /** Of everything that is as it should be. */
  seen: Map<string, Sighting>;
  /** So many files were read to their end. */
  filesRead: number;
}

/** So many files are asked about together: the system has four threads for it. */
const BATCH = 32;

/**
 * Compares what is in a directory with what should be. Contents are read only where the system tells
 * a file otherwise than it was seen. What is there besides does not count: an app that runs as root
 * may have written it.
 */
export async function inspectEntries(
  root: string,
  entries: readonly BundleEntry[],
  before: ReadonlyMap<string, Sighting>,
): Promise<Inspection> {
  const inspection: Inspection = { damage: [], seen: new Map(), filesRead: 0 };
  const broken = await brokenDirectories(root, entries);
  for (let from = 0; from < entries.length; from += BATCH) {
    const batch = entries.slice(from, from + BATCH).map(async (entry) => {
      const why = broken.has(dirname(entry.path))
        ? 'is missing'
        : await problemOf(root, entry, before.get(entry.path), inspection);
      if (why !== null) inspection.damage.push({ path: entry.path, why });
    });
    await Promise.all(batch);
  }
  return inspection;
}

/** Null when it is as it should be; what was seen is noted then. */
async function problemOf(
  root: string,
  entry: BundleEntry,
  before: Sighting | undefined,
  inspection: Inspection,
): Promise<string | null> {
  const path = join(root, entry.path);
  const found = await statOf(path);
  if (found === null) return 'is missing';
  const sighting = { sizeBytes: found.size, changedMs: found.ctimeMs, inode: found.ino };
  if (!isSame(before, sighting)) {
    const why =
      entry.kind === 'link'
        ? await problemOfLink(path, found, entry.target)
        : await problemOfFile(path, found, entry, inspection);
    if (why !== null) return why;
  }
  inspection.seen.set(entry.path, sighting);
  return null;
}

const isSame = (before: Sighting | undefined, now: Sighting): boolean =>
  before !== undefined &&
  before.sizeBytes === now.sizeBytes &&
  before.changedMs === now.changedMs &&
  before.inode === now.inode;

async function problemOfLink(path: string, found: Stats, target: string): Promise<string | null> {
  if (!found.isSymbolicLink()) return 'is no longer a link';
  return (await readlink(path)) === target ? null : 'points elsewhere';
}

async function problemOfFile(
  path: string,
  found: Stats,
  entry: FileEntry,
  inspection: Inspection,
): Promise<string | null> {
  if (!found.isFile()) return 'is no longer a file';
  if (found.size !== entry.sizeBytes) {
    return `has ${found.size} bytes instead of ${entry.sizeBytes}`;
  }
  if (((found.mode & 0o100) !== 0) !== entry.executable) return 'has another execute bit';
  inspection.filesRead += 1;
  return (await hashOf(path)) === entry.hash ? null : 'was changed';
}

async function hashOf(path: string): Promise<string | null> {
  try {
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk);
    return hash.digest('hex');
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    // It has gone meanwhile, or the disk cannot read it: not what was deployed in any case.
    return null;
  }
}

/** Directories that are something else now, a link out of the bundle for instance. */
async function brokenDirectories(
  root: string,
  entries: readonly BundleEntry[],
): Promise<Set<string>> {
  const broken = new Set<string>();
  for (const directory of directoriesOf(entries)) {
    const above = directory === '.' ? null : dirname(directory);
    const found = above !== null && broken.has(above) ? null : await statOf(join(root, directory));
    if (!found?.isDirectory()) broken.add(directory);
  }
  return broken;
}

/** Every directory that entries lie in, those above first; the root is `.`. */
export function directoriesOf(entries: readonly { path: string }[]): string[] {
  const directories = new Set<string>(['.']);
  const add = (directory: string) => {
    if (directories.has(directory)) return;
    add(dirname(directory));
    directories.add(directory);
  };
  for (const { path } of entries) add(dirname(path));
  return [...directories];
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(thrown) ?? '')) return null;
    throw thrown;
  }
}
