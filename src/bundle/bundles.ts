import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Fault } from '../kernel/fault.ts';
import type { BundleCondition, BundleFile, BundleStore } from './driver.ts';
import { type BundleEntry, sortedByPath } from './entry.ts';
import { imageSizes } from './image-sizes.ts';
import { entriesOf, inspectBundle } from './inventory.ts';
import { isPartial, partialName, removePartialBundles, unpackBundle } from './unpack.ts';

/** What one version may hold; a larger one is data, and belongs in a resource. */
const BUNDLE_LIMITS = { maxBytes: 2 * 1024 ** 3, maxFiles: 200_000 };

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const BUNDLE = /^[0-9a-f]{64}$/;

/** Unpacked versions below one directory, each named by its digest. */
export async function openBundles(directory: string): Promise<BundleStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await removePartialBundles(directory);
  const pathOf = (digest: string): string => {
    if (!DIGEST.test(digest)) {
      throw new Fault({
        code: 'bad-digest',
        message: `'${digest}' is not a digest`,
        subject: digest,
      });
    }
    return join(directory, digest.slice('sha256:'.length));
  };
  const images = imageSizes(directory);
  const inspect = async (digest: string): Promise<BundleCondition> => {
    const path = pathOf(digest);
    if (!existsSync(path)) return { state: 'gone' };
    const damage = await inspectBundle(path, digest);
    return damage.length === 0 ? { state: 'whole' } : { state: 'damaged', damage };
  };
  return {
    has: async (digest) => (await inspect(digest)).state === 'whole',
    inspect,
    async receive(digest, tar, expected) {
      if (expected.files > BUNDLE_LIMITS.maxFiles || expected.sizeBytes > BUNDLE_LIMITS.maxBytes) {
        throw new Fault({
          code: 'bundle-too-large',
          message: `a version may hold ${BUNDLE_LIMITS.maxFiles} files and ${BUNDLE_LIMITS.maxBytes} bytes`,
          subject: digest,
        });
      }
      const limits = { maxFiles: expected.files, maxBytes: expected.sizeBytes };
      await unpackBundle(tar, pathOf(digest), { digest, ...limits });
    },
    directory: pathOf,
    files: async (digest) => filesOf(await entriesOf(pathOf(digest), digest)),
    async list() {
      const bundles = (await readdir(directory)).filter((name) => BUNDLE.test(name));
      return await Promise.all(
        bundles.map(async (name) => ({
          digest: `sha256:${name}`,
          storedAt: (await stat(join(directory, name))).mtimeMs,
          imageBytes: images.of(name),
        })),
      );
    },
    measureImages: () => images.measure(),
    remove: (digest) => removeBundle(directory, basename(pathOf(digest))),
    async room() {
      const { bsize, bavail, blocks } = await statfs(directory);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
  };
}

function filesOf(entries: readonly BundleEntry[]): BundleFile[] {
  return sortedByPath(entries).map((entry) =>
    entry.kind === 'file'
      ? { path: entry.path, sizeBytes: entry.sizeBytes, digest: entry.hash }
      : { path: entry.path, sizeBytes: 0, digest: `link:${entry.target}` },
  );
}

/** Each by one rename, the bundle last: a crash in between leaves one that can be removed again. */
async function removeBundle(directory: string, name: string): Promise<void> {
  const named = (await readdir(directory)).filter(
    (each) => each === name || (each.startsWith(`${name}.`) && !isPartial(each)),
  );
  for (const each of named.sort((a, b) => b.length - a.length)) {
    const leaving = partialName(join(directory, each));
    await rename(join(directory, each), leaving);
    await rm(leaving, { recursive: true, force: true });
  }
}
