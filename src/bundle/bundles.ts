import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../kernel/fault.ts';
import type { BundleFile, BundleStore } from './driver.ts';
import { packBundle } from './pack.ts';
import { removePartialBundles, unpackBundle } from './unpack.ts';

/** What one version may hold; a larger one is data, and belongs in a resource. */
const BUNDLE_LIMITS = { maxBytes: 2 * 1024 ** 3, maxFiles: 200_000 };

const DIGEST = /^sha256:[0-9a-f]{64}$/;

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
  return {
    has: async (digest) => existsSync(pathOf(digest)),
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
    files: (digest) => filesOf(pathOf(digest)),
  };
}

async function filesOf(directory: string): Promise<BundleFile[]> {
  const { entries } = await packBundle(directory, BUNDLE_LIMITS);
  return entries.map((entry) =>
    entry.kind === 'file'
      ? { path: entry.path, sizeBytes: entry.sizeBytes, digest: entry.hash }
      : { path: entry.path, sizeBytes: 0, digest: `link:${entry.target}` },
  );
}
