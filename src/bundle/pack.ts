import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { Fault, systemCode } from '../kernel/fault.ts';
import { type BundleEntry, type BundleManifest, manifestOf } from './entry.ts';
import { type IgnoreRules, rulesFor } from './ignore-rules.ts';
import { refuseTooLarge } from './limit.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';
import { type FoundEntry, walk } from './walk.ts';

export interface PackLimits {
  /** Over all files. */
  maxBytes: number;
  /** For each file; without it, only the whole is limited. */
  maxFileBytes?: number;
}

export interface Bundle {
  manifest: BundleManifest;
  /** What is in it, in no order. */
  entries: readonly BundleEntry[];
  /** A tar archive; the same bytes for the same content. Nothing is read before it is. */
  stream: Readable;
  /** What was left out because it cannot be in a bundle. */
  skipped: { path: string; why: string }[];
}

/**
 * Packs a directory: finds what belongs, checks it, and reads it twice, once for the digest and
 * once into the stream, never holding more than a chunk.
 *
 * @param rulesAt what is left out; git's rules and `.belayignore` unless said otherwise
 * @throws `bundle-too-large`, `bundle-empty`, `symlink-escapes`, `bundle-unreadable`; the stream
 *   ends with `changed-while-packing` when a file is no longer what it was
 */
export async function packBundle(
  directory: string,
  limits: PackLimits,
  rulesAt: (root: string) => IgnoreRules = rulesFor,
): Promise<Bundle> {
  const root = resolve(directory);
  const { entries: found, skipped } = await walk(root, rulesAt(root)).catch((thrown) => {
    throw unreadable(root, thrown);
  });
  if (found.length === 0) throw empty(root);
  refuseTooLarge(found, limits);
  const entries: BundleEntry[] = [];
  for (const entry of found) entries.push(await withHash(root, entry));
  const stream = Readable.from(archive(root, entries), { objectMode: false });
  return { manifest: manifestOf(entries), entries, stream, skipped };
}

async function withHash(root: string, entry: FoundEntry): Promise<BundleEntry> {
  if (entry.kind === 'link') return entry;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of contentOf(root, entry.path)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  if (sizeBytes !== entry.sizeBytes) throw changed(entry.path);
  return { ...entry, hash: hash.digest('hex') };
}

async function* archive(root: string, entries: readonly BundleEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield* tarHeader(entry);
    if (entry.kind === 'link') continue;
    const hash = createHash('sha256');
    let sentBytes = 0;
    for await (const chunk of contentOf(root, entry.path)) {
      sentBytes += chunk.length;
      if (sentBytes > entry.sizeBytes) throw changed(entry.path);
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') !== entry.hash) throw changed(entry.path);
    yield tarPadding(entry.sizeBytes);
  }
  yield tarEnd;
}

async function* contentOf(root: string, path: string): AsyncGenerator<Buffer> {
  try {
    // A file that has become a link since it was found is not followed.
    const handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    yield* handle.createReadStream();
  } catch (thrown) {
    // It was there, and a file, when it was found.
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(thrown) ?? '')) throw changed(path);
    throw unreadable(path, thrown);
  }
}

function unreadable(path: string, thrown: unknown): unknown {
  if (thrown instanceof Fault || systemCode(thrown) === undefined) return thrown;
  return new Fault({
    code: 'bundle-unreadable',
    message: `${path} cannot be read (${systemCode(thrown)})`,
    subject: path,
    hint: 'give this user permission to read it, or name it in .belayignore',
    cause: thrown,
  });
}

function changed(path: string): Fault {
  return new Fault({
    code: 'changed-while-packing',
    message: `${path} changed while it was being packed`,
    subject: path,
    hint: 'name it in .belayignore if a running program writes it, and try again',
    retryable: true,
  });
}

function empty(root: string): Fault {
  return new Fault({
    code: 'bundle-empty',
    message: 'the directory has no file to deploy',
    subject: root,
    hint: 'check the path, and what .gitignore and .belayignore leave out',
  });
}
