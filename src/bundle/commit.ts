import { Fault } from '../kernel/fault.ts';
import { git } from './git.ts';

/** A commit of a repository, and who says what it is. */
export interface Commit {
  /** Whole, in hexadecimal. */
  id: string;
  author: string;
  /** The first line of its message. */
  subject: string;
  /** The tree that a version is packed from: the commit's, or that of the directory within it. */
  tree: string;
}

const SHORT_ID = 9;

export const shortCommit = (id: string): string => id.slice(0, SHORT_ID);

/**
 * The commit that a branch, a tag or (part of) an id means; null when it means none.
 *
 * @throws `git-missing`, `no-repository`, `git-failed`, `not-in-commit`
 */
export async function findCommit(directory: string, ref: string): Promise<Commit | null> {
  const below = (await git(directory, 'rev-parse', '--show-prefix')).trim();
  const id = await resolve(directory, `${ref}^{commit}`);
  if (id === null) return null;
  const tree = await resolve(directory, below === '' ? `${id}^{tree}` : `${id}:${below}`);
  if (tree === null) throw notInCommit(id, below);
  const format = '--format=%aN%x00%s';
  const shown = await git(
    directory,
    ...['-c', 'i18n.logOutputEncoding=UTF-8', 'log', '-1', '--no-show-signature', format, id],
  );
  const [author = '', subject = ''] = shown.trimEnd().split('\0');
  return { id, author, subject, tree };
}

/** Branches and tags by their short names, those of remotes too. */
export async function refNames(directory: string): Promise<string[]> {
  const listed = await git(directory, 'for-each-ref', '--format=%(refname:short)');
  return listed.split('\n').filter((name) => name !== '');
}

/** The object's id; null when the name means nothing, or more than one thing. */
async function resolve(directory: string, name: string): Promise<string | null> {
  try {
    return (await git(directory, 'rev-parse', '--verify', '--end-of-options', name)).trim();
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'git-failed') return null;
    throw thrown;
  }
}

function notInCommit(id: string, below: string): Fault {
  return new Fault({
    code: 'not-in-commit',
    message: `the directory ${below} is not in commit ${shortCommit(id)}`,
    subject: below,
    hint: 'name a commit that has it, or another directory',
  });
}
