import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `<digest>.built-<hash>`: what a build made of the bundle of that digest. */
const IMAGE = /^([0-9a-f]{64})\.built-[0-9a-f]+$/;

export interface ImageSizes {
  /** Of all images of a bundle, by its directory's name; null while one was not measured. */
  of(bundle: string): number | null;
  measure(): Promise<void>;
}

/** How much room images take. They never change, so each is measured once, and that is kept beside it. */
export function imageSizes(directory: string): ImageSizes {
  const known = new Map<string, number>();
  let unmeasured = true;
  return {
    of(bundle) {
      if (unmeasured) return null;
      let totalBytes = 0;
      for (const [name, sizeBytes] of known) if (bundleOf(name) === bundle) totalBytes += sizeBytes;
      return totalBytes;
    },
    async measure() {
      const names = (await readdir(directory)).filter((name) => IMAGE.test(name));
      for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
      for (const name of names) {
        if (!known.has(name)) known.set(name, await sizeOfImage(join(directory, name)));
      }
      unmeasured = false;
    },
  };
}

const bundleOf = (image: string): string | undefined => IMAGE.exec(image)?.[1];

async function sizeOfImage(image: string): Promise<number> {
  const note = `${image}.size`;
  const noted = await readFile(note, 'utf8').catch(() => '');
  if (/^\d+$/.test(noted)) return Number(noted);
  const sizeBytes = await sizeOfTree(image);
  await writeFile(note, String(sizeBytes), { mode: 0o600 });
  return sizeBytes;
}

/** What its files hold. One that goes meanwhile counts for nothing. */
async function sizeOfTree(root: string): Promise<number> {
  let totalBytes = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await lstat(join(entry.parentPath, entry.name)).catch(() => null);
    totalBytes += found?.size ?? 0;
  }
  return totalBytes;
}
