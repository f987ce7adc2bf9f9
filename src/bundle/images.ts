import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { systemCode } from '../kernel/fault.ts';
import type { ImageKey, ImageStore } from './driver.ts';

/**
 * Golden images: versions as their builds left them, beside the bundles they were made of, as
 * `<digest>.built-<hash of the build>`. A build works in a writable copy of its own, with `.making-`
 * and its run behind the name, which becomes the image by one rename: it is there whole or not at all.
 */

const HASH_DIGITS = 16;
const MAKING = /\.built-[0-9a-f]+\.making-([a-z0-9-]+)$/;
/** So many files are copied, or wait for the disk, together. */
const BATCH = 32;
const OWNER_WRITES = 0o200;
const NOBODY_WRITES = 0o555;

/** Images below the directory of the bundles. */
export function openImages(versions: string): ImageStore {
  const directory = (image: ImageKey) => join(versions, imageName(image));
  const making = (image: ImageKey, run: string) => `${directory(image)}.making-${run}`;
  return {
    directory,
    isThere: (image) => existsSync(directory(image)),
    async begin(image, run) {
      const copy = making(image, run);
      await rm(copy, { recursive: true, force: true });
      await copyTree(join(versions, bundleName(image)), copy);
      return copy;
    },
    async keep(image, run) {
      const built = making(image, run);
      await makeReadOnly(built);
      await moveInto(built, directory(image));
    },
    discard: (image, run) => rm(making(image, run), { recursive: true, force: true }),
    async clean(runs) {
      for (const name of await readdir(versions)) {
        const run = MAKING.exec(name)?.[1];
        if (run === undefined || runs.has(run)) continue;
        await rm(join(versions, name), { recursive: true, force: true });
      }
    },
  };
}

const bundleName = ({ digest }: ImageKey): string => digest.slice('sha256:'.length);

/** The same bundle built by the same command is the same image. */
function imageName(image: ImageKey): string {
  const { command, variables } = image;
  const sorted = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256')
    .update(JSON.stringify([command, sorted]))
    .digest('hex');
  return `${bundleName(image)}.built-${hash.slice(0, HASH_DIGITS)}`;
}

interface Tree {
  directories: string[];
  files: string[];
  links: string[];
}

/** What is below a directory, itself included; links are not followed. */
async function treeOf(root: string): Promise<Tree> {
  const tree: Tree = { directories: [root], files: [], links: [] };
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) tree.directories.push(path);
    else if (entry.isFile()) tree.files.push(path);
    else if (entry.isSymbolicLink()) tree.links.push(path);
  }
  return tree;
}

/** The build may write over what was deployed, and so its copy shares nothing with the bundle. */
async function copyTree(from: string, to: string): Promise<void> {
  const { directories, files, links } = await treeOf(from);
  const placed = (path: string): string => join(to, relative(from, path));
  for (const directory of directories) await mkdir(placed(directory), { mode: 0o755 });
  await inBatches(files, async (path) => {
    await copyFile(path, placed(path), constants.COPYFILE_FICLONE);
    await chmod(placed(path), (await stat(path)).mode | OWNER_WRITES);
  });
  for (const path of links) await symlink(await readlink(path), placed(path));
}

/** As bundles are: read-only, and on the disk before anybody relies on it. */
async function makeReadOnly(root: string): Promise<void> {
  const { directories, files } = await treeOf(root);
  await inBatches([...files, ...directories], async (path) => {
    const handle = await open(path, 'r');
    try {
      const found = await handle.stat();
      if (found.isFile()) await handle.chmod(found.mode & NOBODY_WRITES);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** One that is there already is as good: its name says how it was made. */
async function moveInto(built: string, image: string): Promise<void> {
  try {
    await rename(built, image);
  } catch (thrown) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(systemCode(thrown) ?? '')) throw thrown;
    await rm(built, { recursive: true, force: true });
    return;
  }
  const parent = await open(dirname(image), 'r');
  await parent.sync().finally(() => parent.close());
}

async function inBatches(
  paths: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < paths.length; from += BATCH) {
    await Promise.all(paths.slice(from, from + BATCH).map(work));
  }
}
