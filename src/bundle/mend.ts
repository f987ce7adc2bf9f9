import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Damage, directoriesOf, inspectEntries, type Sighting } from './damage.ts';
import type { BundleEntry } from './entry.ts';
import { writeInventory } from './inventory.ts';

const BATCH = 32;

/**
 * Puts what was damaged of a bundle right, file by file, from the same bundle unpacked afresh.
 * The directory stays: instances run in it.
 */
export async function mend(
  directory: string,
  fresh: string,
  entries: readonly BundleEntry[],
): Promise<void> {
  const { damage } = await inspectEntries(directory, entries, new Map());
  await replaceDirectories(directory, damage);
  for (const { path } of damage) {
    const place = join(directory, path);
    const found = await lstat(place).catch(() => null);
    // A file takes the place of another in one step, but not that of a directory.
    if (found?.isDirectory()) await rm(place, { recursive: true });
    await rename(join(fresh, path), place);
  }
  for (const path of new Set(damage.map(({ path }) => dirname(path)))) {
    await using handle = await open(join(directory, path), 'r');
    await handle.sync();
  }
  const seen = await sightings(directory, entries);
  await writeInventory(directory, { entries, seen });
}

/** How the system tells entries that are known to be right. */
export async function sightings(
  root: string,
  entries: readonly BundleEntry[],
): Promise<Map<string, Sighting>> {
  const seen = new Map<string, Sighting>();
  for (let from = 0; from < entries.length; from += BATCH) {
    const batch = entries.slice(from, from + BATCH).map(async ({ path }) => {
      const { size, ctimeMs, ino } = await lstat(join(root, path));
      seen.set(path, { sizeBytes: size, changedMs: ctimeMs, inode: ino });
    });
    await Promise.all(batch);
  }
  return seen;
}

/** Whatever stands where a directory should be goes. */
async function replaceDirectories(root: string, damage: readonly Damage[]): Promise<void> {
  for (const directory of directoriesOf(damage)) {
    const path = join(root, directory);
    const found = await lstat(path).catch(() => null);
    if (found?.isDirectory()) continue;
    await rm(path, { force: true });
    await mkdir(path, { mode: 0o755 });
  }
}
