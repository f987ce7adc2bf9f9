import { git, gitFault } from './git.ts';

/** One file or link of a commit's tree. */
export interface TreeEntry {
  kind: 'file' | 'link';
  /** Relative to the tree, with forward slashes. */
  path: string;
  executable: boolean;
  sizeBytes: number;
  /** The id of its content. */
  blob: string;
}

export interface Tree {
  entries: TreeEntry[];
  /** What is another repository's: only its commit is on record. */
  submodules: string[];
}

const LINE = /^(\d{6}) (\w+) ([0-9a-f]+) +(\S+)\t(.+)$/s;
const LINK_MODE = '120000';
const PROGRAM_MODE = '100755';

/**
 * Lists a tree whole, with sizes: nothing of its content is read.
 *
 * @throws `git-failed`
 */
export async function listTree(directory: string, tree: string): Promise<Tree> {
  const listed = await git(directory, 'ls-tree', '-r', '-z', '--long', '--full-tree', tree);
  const found: Tree = { entries: [], submodules: [] };
  for (const line of listed.split('\0')) {
    const [, mode = '', type = '', blob = '', size = '', path = ''] = LINE.exec(line) ?? [];
    if (type === 'commit') found.submodules.push(path);
    if (type !== 'blob') continue;
    if (!/^\d+$/.test(size)) {
      throw gitFault(directory, `the content of ${path}, ${blob}, is not in the repository`, null);
    }
    const kind = mode === LINK_MODE ? 'link' : 'file';
    const executable = mode === PROGRAM_MODE;
    found.entries.push({ kind, path, executable, sizeBytes: Number(size), blob });
  }
  return found;
}
