import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../kernel/fault.ts';
import { type FileEntry, type LinkEntry, linkStaysInside, sortedByPath } from './entry.ts';
import { type IgnoreRules, isLeftOut, rulesWithin } from './ignore-rules.ts';

/** What belongs in a bundle, before the contents are read. */
export type FoundEntry = Omit<FileEntry, 'hash'> | LinkEntry;

export interface Found {
  /** In order of their paths. */
  entries: FoundEntry[];
  /** What cannot be in a bundle, with the reason: `is a socket`. */
  skipped: { path: string; why: string }[];
}

/**
 * Lists what belongs in the bundle of a directory.
 *
 * @param rules those that hold at its root
 * @throws `symlink-escapes`
 */
export async function walk(root: string, rules: IgnoreRules): Promise<Found> {
  const found: Found = { entries: [], skipped: [] };
  await walkDirectory(root, '', rules, found);
  return { ...found, entries: sortedByPath(found.entries) };
}

async function walkDirectory(
  root: string,
  below: string,
  rules: IgnoreRules,
  found: Found,
): Promise<void> {
  for (const child of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below === '' ? child.name : `${below}/${child.name}`;
    if (child.name === '.git') continue;
    if (isLeftOut(rules, join(root, path), child.isDirectory())) continue;
    if (child.isDirectory()) {
      await walkDirectory(root, path, rulesWithin(rules, join(root, path)), found);
    } else {
      await addEntry(root, path, child, found);
    }
  }
}

async function addEntry(root: string, path: string, child: Dirent, found: Found): Promise<void> {
  const absolute = join(root, path);
  if (child.isSymbolicLink()) {
    const target = await readlink(absolute);
    if (!linkStaysInside(path, target)) throw linkEscapes(path, target);
    found.entries.push({ kind: 'link', path, target });
  } else if (child.isFile()) {
    const { mode, size } = await lstat(absolute);
    const executable = (mode & 0o100) !== 0;
    found.entries.push({ kind: 'file', path, executable, sizeBytes: size });
  } else {
    found.skipped.push({ path, why: specialKind(child) });
  }
}

function specialKind(child: Dirent): string {
  if (child.isSocket()) return 'is a socket';
  if (child.isFIFO()) return 'is a named pipe';
  return 'is a device';
}

export function linkEscapes(path: string, target: string): Fault {
  return new Fault({
    code: 'symlink-escapes',
    message: `the link ${path} points out of the bundle, to ${target}`,
    subject: path,
    hint: 'copy what it points to into the directory, or name the link in .belayignore',
    details: { path, target },
  });
}
