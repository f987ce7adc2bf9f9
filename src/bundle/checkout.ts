import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { BlobReader } from './blob-reader.ts';
import type { Commit } from './commit.ts';
import { listTree, type TreeEntry } from './commit-tree.ts';
import { isInside, linkStaysInside } from './entry.ts';
import { malformed } from './extraction.ts';
import { type IgnoreRules, isLeftOut, rulesForTracked, rulesWithin } from './ignore-rules.ts';
import { refuseTooLarge } from './limit.ts';
import type { PackLimits } from './pack.ts';
import { linkEscapes } from './walk.ts';

/** A directory of its own that holds what a commit does, until it is disposed of. */
export interface Checkout extends AsyncDisposable {
  /** Called as the directory in the repository is, and as a bare one is without `.git`. */
  directory: string;
  /** What the commit names and does not hold. */
  skipped: { path: string; why: string }[];
}

const BELAY_RULES = '.belayignore';
/** Read although the bundle may leave it out. */
const CONFIGURATION = /^belay\.config\.(?:ts|js|mjs)$/;
/** More than any pointer of Git LFS has. */
const SMALL_BYTES = 4_096;
const LFS_POINTER = Buffer.from('version https://git-lfs.github.com/spec/');

/**
 * Writes out a commit's tree: the contents as git keeps them, whole, whatever is in the directory
 * now. No attribute or filter has a say; `.belayignore` does.
 *
 * @throws `bundle-too-large` before anything is read, `symlink-escapes`, `git-failed`
 */
export async function checkOut(
  repository: string,
  commit: Commit,
  limits: PackLimits,
): Promise<Checkout> {
  const { entries, submodules } = await listTree(repository, commit.tree);
  const above = await mkdtemp(join(tmpdir(), 'belay-commit-'));
  const root = join(above, basename(resolve(repository), '.git') || 'app');
  const skipped = submodules.map((path) => ({ path, why: 'is a submodule, another repository' }));
  const checkout: Checkout = {
    directory: root,
    skipped,
    [Symbol.asyncDispose]: () => rm(above, { recursive: true, force: true }),
  };
  try {
    await mkdir(root);
    for (const { path } of entries) if (!isInside(path)) throw malformed(`it has '${path}'`);
    const isRules = ({ path }: TreeEntry) => basename(path) === BELAY_RULES;
    await write(repository, root, entries.filter(isRules), skipped);
    const rest = remaining(root, entries).filter((entry) => !isRules(entry));
    refuseTooLarge(rest, limits);
    await write(repository, root, rest, skipped);
    if (lacksPackages(repository, root)) {
      skipped.push({
        path: 'node_modules',
        why: 'is not in the commit, and instances install nothing',
      });
    }
    return checkout;
  } catch (thrown) {
    await checkout[Symbol.asyncDispose]();
    throw thrown;
  }
}

/** The directory would be packed with what is installed in it; a commit has nothing installed. */
function lacksPackages(repository: string, root: string): boolean {
  const installed = join(repository, 'node_modules');
  const packages = existsSync(join(root, 'package.json'));
  return packages && existsSync(installed) && !existsSync(join(root, 'node_modules'));
}

/** What the `.belayignore` files that are written already leave. */
function remaining(root: string, entries: readonly TreeEntry[]): TreeEntry[] {
  const known = new Map<string, IgnoreRules | null>([['.', rulesForTracked(root)]]);
  const rulesIn = (directory: string): IgnoreRules | null => {
    const found = known.get(directory);
    if (found !== undefined) return found;
    const above = rulesIn(dirname(directory));
    const path = join(root, directory);
    const rules = above && !isLeftOut(above, path, true) ? rulesWithin(above, path) : null;
    known.set(directory, rules);
    return rules;
  };
  return entries.filter(({ path }) => {
    if (CONFIGURATION.test(path)) return true;
    const rules = rulesIn(dirname(path));
    return rules !== null && !isLeftOut(rules, join(root, path), false);
  });
}

async function write(
  repository: string,
  root: string,
  entries: readonly TreeEntry[],
  skipped: Checkout['skipped'],
): Promise<void> {
  if (entries.length === 0) return;
  const blobs = entries.map(({ blob }) => blob);
  await using contents = new BlobReader(repository, blobs);
  const links: { path: string; target: string }[] = [];
  for (const entry of entries) {
    await mkdir(dirname(join(root, entry.path)), { recursive: true });
    if (entry.kind === 'file' && entry.sizeBytes > SMALL_BYTES) {
      await writeFile(root, entry, contents.next());
      continue;
    }
    const content = await buffer(contents.next());
    if (entry.kind === 'link') links.push({ path: entry.path, target: content.toString() });
    else if (content.subarray(0, LFS_POINTER.length).equals(LFS_POINTER)) {
      skipped.push({
        path: entry.path,
        why: 'is kept by Git LFS, and the commit only points to it',
      });
    } else await writeFile(root, entry, [content]);
  }
  // Last of all, so that no file was written through one.
  for (const { path, target } of links) {
    if (!linkStaysInside(path, target)) throw linkEscapes(path, target);
    await symlink(target, join(root, path));
  }
}

async function writeFile(
  root: string,
  { path, executable }: TreeEntry,
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  const handle = await open(join(root, path), 'wx', executable ? 0o755 : 0o644);
  try {
    for await (const chunk of content) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}
