import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ReadEntry } from 'tar';
import { Fault } from '../kernel/fault.ts';
import {
  type BundleEntry,
  type FileEntry,
  isInside,
  type LinkEntry,
  linkStaysInside,
} from './entry.ts';
import type { Expected } from './unpack.ts';

/** So many files wait for the disk together: it writes its journal once for all of them. */
const SYNC_BATCH = 32;
const READ_ONLY = 0o444;
const READ_ONLY_PROGRAM = 0o555;

/** Writes the entries of one archive below a directory, checking each. */
export interface Extraction {
  /** Writes an entry. One at a time. */
  add(entry: ReadEntry): Promise<void>;
  /** Makes the links, waits for the disk, and returns what there is. */
  finish(): Promise<BundleEntry[]>;
  /** Waits for what is still open to be closed. */
  abandon(): Promise<void>;
}

export function extraction(root: string, limits: Expected): Extraction {
  const files: FileEntry[] = [];
  const links: LinkEntry[] = [];
  const directories = new Set<string>([root]);
  let syncing: Promise<void>[] = [];
  let totalBytes = 0;

  const makeParent = async (path: string) => {
    const parent = dirname(join(root, path));
    if (directories.has(parent)) return;
    await mkdir(parent, { recursive: true, mode: 0o755 });
    for (let at = parent; !directories.has(at); at = dirname(at)) directories.add(at);
  };

  const addFile = async (entry: ReadEntry) => {
    totalBytes += entry.size;
    if (totalBytes > limits.maxBytes) throw tooMuch('bytes', limits.maxBytes);
    const executable = ((entry.mode ?? 0) & 0o100) !== 0;
    await makeParent(entry.path);
    // Never over something that is there, and so never through a link.
    const handle = await open(join(root, entry.path), 'wx', 0o600);
    try {
      const hash = await writeContent(entry, handle);
      await handle.chmod(executable ? READ_ONLY_PROGRAM : READ_ONLY);
      files.push({ kind: 'file', path: entry.path, executable, sizeBytes: entry.size, hash });
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
    syncing.push(syncAndClose(handle));
    if (syncing.length >= SYNC_BATCH) await settleSyncs();
  };

  const settleSyncs = async () => {
    const batch = syncing;
    syncing = [];
    const failed = (await Promise.allSettled(batch)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  };

  return {
    async add(entry) {
      checkPath(entry.path);
      if (files.length + links.length >= limits.maxFiles) throw tooMuch('files', limits.maxFiles);
      if (entry.type === 'File') return addFile(entry);
      if (entry.type !== 'SymbolicLink') {
        throw malformed(`${entry.path} is neither a file nor a link (${entry.type})`);
      }
      const target = entry.linkpath ?? '';
      if (!linkStaysInside(entry.path, target)) throw escapes(entry.path, target);
      links.push({ kind: 'link', path: entry.path, target });
      entry.resume();
    },
    async finish() {
      await settleSyncs();
      // Last of all, so that no file was written through one.
      for (const { path, target } of links) {
        await makeParent(path);
        await symlink(target, join(root, path));
      }
      for (const directory of directories) await syncAndClose(await open(directory, 'r'));
      return [...files, ...links];
    },
    async abandon() {
      await Promise.allSettled(syncing);
    },
  };
}

async function writeContent(entry: ReadEntry, handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of entry) {
    hash.update(chunk);
    await handle.writeFile(chunk);
  }
  return hash.digest('hex');
}

async function syncAndClose(handle: FileHandle): Promise<void> {
  await handle.sync().finally(() => handle.close());
}

function checkPath(path: string): void {
  if (!isInside(path)) throw malformed(`'${path}' is not a path inside a bundle`);
}

export function malformed(message: string, cause?: unknown): Fault {
  return new Fault({
    code: 'bundle-malformed',
    message: `the bundle is refused: ${message}`,
    cause,
  });
}

function escapes(path: string, target: string): Fault {
  return new Fault({
    code: 'symlink-escapes',
    message: `the link ${path} points out of the bundle, to ${target}`,
    subject: path,
    details: { path, target },
  });
}

function tooMuch(what: 'bytes' | 'files', limit: number): Fault {
  return new Fault({
    code: 'bundle-too-large',
    message: `the bundle has more than ${limit} ${what}`,
    hint: 'name what the app does not need in .belayignore',
    details: { what, limit },
  });
}
