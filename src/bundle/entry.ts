import { createHash } from 'node:crypto';
import { posix } from 'node:path';

/**
 * What a bundle consists of: files and links. Directories follow from them, so an empty one is not
 * kept, as in git. Times and owners are not content; of the mode only whether it is executable is.
 */
export type BundleEntry = FileEntry | LinkEntry;

export interface FileEntry {
  kind: 'file';
  /** Relative to the bundle, with forward slashes. */
  path: string;
  executable: boolean;
  sizeBytes: number;
  /** SHA-256 of the content, hexadecimal. */
  hash: string;
}

export interface LinkEntry {
  kind: 'link';
  path: string;
  target: string;
}

export interface BundleManifest {
  /** Files and links. */
  files: number;
  /** The content of the files. */
  sizeBytes: number;
  /** `sha256:` and 64 hexadecimal digits over paths, modes and contents. */
  digest: string;
}

/** The manifest of entries in any order. */
export function manifestOf(entries: readonly BundleEntry[]): BundleManifest {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (const entry of sortedByPath(entries)) {
    hash.update(JSON.stringify(identityOf(entry)));
    if (entry.kind === 'file') sizeBytes += entry.sizeBytes;
  }
  return { files: entries.length, sizeBytes, digest: `sha256:${hash.digest('hex')}` };
}

/** By code units, which no locale changes. */
export function sortedByPath<T extends { path: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Whether a path names something inside a bundle, whatever links there are. */
export function isInside(path: string): boolean {
  const parts = path.split('/');
  return (
    !path.includes('\0') && !parts.some((part) => part === '' || part === '.' || part === '..')
  );
}

/**
 * Whether a link ends inside the bundle. `..` is allowed at the front only: further on it would
 * depend on what the directories before it are, which may be links themselves.
 */
export function linkStaysInside(path: string, target: string): boolean {
  if (target === '' || posix.isAbsolute(target) || target.includes('\0')) return false;
  if (/(?:^|\/)(?!\.\.(?:\/|$))[^/]+\/(?:.*\/)?\.\.(?:\/|$)/.test(target)) return false;
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  return end !== '..' && !end.startsWith('../');
}

function identityOf(entry: BundleEntry): string[] {
  if (entry.kind === 'link') return ['link', entry.path, entry.target];
  return [entry.executable ? 'executable' : 'file', entry.path, entry.hash];
}
