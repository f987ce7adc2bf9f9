import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Parser, type ReadEntry } from 'tar';
import { Fault, messageOf, systemCode } from '../kernel/fault.ts';
import { randomHex } from '../kernel/random.ts';
import { type BundleEntry, type BundleManifest, manifestOf } from './entry.ts';
import { type Extraction, extraction, malformed } from './extraction.ts';
import { writeInventory } from './inventory.ts';
import { mend, sightings } from './mend.ts';

export interface Expected {
  /** Of the manifest that the bundle was announced with. */
  digest: string;
  maxBytes: number;
  maxFiles: number;
}

const PARTIAL = /\.partial-[0-9a-f]+$/;

/** What comes or goes has such a name meanwhile; whatever has one at the start is taken away. */
export const partialName = (path: string): string => `${path}.partial-${randomHex(8)}`;
export const isPartial = (path: string): boolean => PARTIAL.test(path);

/**
 * Unpacks a bundle into a directory that appears whole or not at all, read-only and on the disk.
 * A directory that is there already is left as it is, but for what of it was damaged.
 *
 * Trusts nothing in the stream. When it is refused, the stream is left where it was; what becomes
 * of the rest is the caller's to say.
 *
 * @throws `digest-mismatch`, `bundle-malformed`, `symlink-escapes`, `bundle-too-large`, `disk-full`,
 *   `bundle-interrupted`
 */
export async function unpackBundle(
  stream: Readable,
  destination: string,
  expected: Expected,
): Promise<BundleManifest> {
  const partial = partialName(destination);
  try {
    await mkdir(partial, { mode: 0o755 });
    const extracting = extraction(partial, expected);
    await readArchive(stream, extracting);
    const entries = await extracting.finish();
    const manifest = manifestOf(entries);
    if (manifest.digest !== expected.digest) throw mismatch(expected.digest, manifest.digest);
    if (existsSync(destination)) await mend(destination, partial, entries);
    else await moveInto(partial, destination, entries);
    return manifest;
  } catch (thrown) {
    throw asFault(thrown, destination);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Takes away what earlier lives left behind in a directory of bundles. */
export async function removePartialBundles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (isPartial(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Feeds the stream to the parser; settles when every entry is written, or at the first failure. */
async function readArchive(stream: Readable, extracting: Extraction): Promise<void> {
  let current: ReadEntry | null = null;
  let writing: Promise<void> = Promise.resolve();
  const reading = new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      strict: true,
      // The parser hands over the next entry when the last has been read, though not yet closed.
      onReadEntry(entry) {
        current = entry;
        // Told through `reading`; without a listener it would end the process.
        entry.on('error', () => undefined);
        writing = writing.then(() => extracting.add(entry));
        writing.catch(reject);
      },
    });
    parser.on('error', (cause: unknown) => reject(malformed(messageOf(cause), cause)));
    parser.on('end', resolve);
    stream.once('error', reject);
    stream.once('close', () => {
      if (!stream.readableEnded) reject(interrupted());
    });
    // The parser is a writable stream in all but its type.
    stream.pipe(parser as unknown as NodeJS.WritableStream);
  });
  try {
    await reading;
    await writing;
  } catch (thrown) {
    stream.unpipe();
    // Ends the write that waits for more; its own failure has been told already.
    (current as ReadEntry | null)?.destroy(thrown);
    await writing.catch(() => undefined);
    await extracting.abandon();
    throw thrown;
  }
}

async function moveInto(
  partial: string,
  destination: string,
  entries: readonly BundleEntry[],
): Promise<void> {
  // First, so that a bundle that is there has one. What moves with its directory is seen the same.
  const seen = await sightings(partial, entries);
  await writeInventory(destination, { entries, seen });
  try {
    await rename(partial, destination);
  } catch (thrown) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(systemCode(thrown) ?? '')) throw thrown;
    // The same content came twice at once.
    return await mend(destination, partial, entries);
  }
  const parent = await open(dirname(destination), 'r');
  await parent.sync().finally(() => parent.close());
}

function asFault(thrown: unknown, destination: string): unknown {
  const code = systemCode(thrown);
  if (thrown instanceof Fault || code === undefined) return thrown;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault({
      code: 'disk-full',
      message: 'the disk is full, so the bundle could not be kept',
      subject: dirname(destination),
      hint: 'make room there and try again; nothing was left behind',
      retryable: true,
      cause: thrown,
    });
  }
  if (['EEXIST', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG'].includes(code)) {
    return malformed(`an entry cannot be where it is (${code})`, thrown);
  }
  return thrown;
}

function mismatch(expected: string, found: string): Fault {
  return new Fault({
    code: 'digest-mismatch',
    message: 'the bundle is not the one that was announced',
    subject: expected,
    hint: 'send it again; if it happens again, something on the way changes it',
    retryable: true,
    details: { expected, found },
  });
}

function interrupted(): Fault {
  return new Fault({
    code: 'bundle-interrupted',
    message: 'the bundle ended before all of it had come',
    hint: 'send it again',
    retryable: true,
  });
}
