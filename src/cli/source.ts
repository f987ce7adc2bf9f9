import { resolve } from 'node:path';
import { findCommit, refNames } from '../bundle/commit.ts';
import { nearest } from '../config/nearest.ts';
import { asOfCommit } from './commit-fault.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import { loadProject, MAX_BUNDLE_BYTES, type Project } from './project.ts';

/** Where the code of a deployment is read: a directory as it is, or as a commit has it. */
export interface Source extends AsyncDisposable {
  load(environment: string): Promise<Project>;
}

export async function openSource(
  context: Context,
  directory: string,
  ref: string | undefined,
): Promise<Source> {
  if (ref !== undefined)
    return await openCommit(resolve(context.directory, directory), context, ref);
  return {
    load: (environment) => loadProject(context, directory, environment),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function openCommit(directory: string, context: Context, ref: string): Promise<Source> {
  const { checkOut } = await import('../bundle/checkout.ts');
  const commit = await findCommit(directory, ref);
  if (!commit) throw unknownCommit(ref, await refNames(directory));
  const checkout = await checkOut(directory, commit, { maxBytes: MAX_BUNDLE_BYTES });
  return {
    async load(environment) {
      try {
        const project = await loadProject(context, checkout.directory, environment);
        return { ...project, commit: { ...commit, skipped: checkout.skipped } };
      } catch (thrown) {
        throw asOfCommit(thrown, checkout.directory, commit);
      }
    },
    [Symbol.asyncDispose]: () => checkout[Symbol.asyncDispose](),
  };
}

function unknownCommit(ref: string, known: readonly string[]): InputFault {
  const meant = nearest(ref, known);
  return new InputFault({
    code: 'unknown-commit',
    message: `'${ref}' is no branch, tag or commit of this repository`,
    subject: ref,
    hint:
      meant === undefined ? 'see those there are with: git log --all' : `did you mean '${meant}'?`,
  });
}
