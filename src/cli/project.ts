import { userInfo } from 'node:os';
import { basename, relative, resolve } from 'node:path';
import type { Commit } from '../bundle/commit.ts';
import type { Bundle } from '../bundle/pack.ts';
import type { LoadedConfiguration } from '../config/load.ts';
import { Fault } from '../kernel/fault.ts';
import { PRODUCTION } from '../model/environment.ts';
import { suggestName } from '../model/name.ts';
import { asOfCommit } from './commit-fault.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';

/**
 * What a directory holds: an application's configuration and its code. What reads and packs them is
 * loaded when it is needed, so that help and `belay status` answer at once.
 */

export const CONFIG_FILE = 'belay.config.ts';

/** What Elastic Beanstalk allows for a source bundle. */
export const MAX_BUNDLE_BYTES = 500 * 1024 * 1024;

const MAX_AUTHOR_LENGTH = 200;

export interface Project extends LoadedConfiguration {
  /** Absolute. */
  directory: string;
  /** What the directory was written out from; not there for one that is somebody's own. */
  commit?: Commit & { skipped: Bundle['skipped'] };
}

/** What is wrong with a configuration is wrong with the input, whatever its code. */
export async function loadProject(
  context: Context,
  directory: string,
  environment: string,
): Promise<Project> {
  const { loadConfiguration } = await import('../config/load.ts');
  const root = resolve(context.directory, directory);
  return { ...asInput(() => loadConfiguration(root, environment)), directory: root };
}

/** The application's name by this directory's configuration. */
export async function applicationOf(context: Context): Promise<string> {
  return (await loadProject(context, '.', PRODUCTION)).application;
}

export interface PackedVersion {
  bundle: Bundle;
  input: {
    digest: string;
    files: number;
    sizeBytes: number;
    author: string | null;
    commit: string | null;
  };
}

/** Packs the code; null for a fixed address, which has none. */
export async function packProject(project: Project): Promise<PackedVersion | null> {
  if (project.configuration.web.upstream !== null) return null;
  if (project.commit) return await packCommit(project.directory, project.commit);
  const [{ packBundle }, { sourceCommit }] = await Promise.all([
    import('../bundle/pack.ts'),
    import('../bundle/source-commit.ts'),
  ]);
  const [bundle, commit] = await Promise.all([
    packBundle(project.directory, { maxBytes: MAX_BUNDLE_BYTES }),
    sourceCommit(project.directory),
  ]);
  const { digest, files, sizeBytes } = bundle.manifest;
  return { bundle, input: { digest, files, sizeBytes, author: currentUser(), commit } };
}

async function packCommit(
  directory: string,
  { id, author, skipped }: NonNullable<Project['commit']>,
): Promise<PackedVersion> {
  const [{ packBundle }, { rulesForTracked }] = await Promise.all([
    import('../bundle/pack.ts'),
    import('../bundle/ignore-rules.ts'),
  ]);
  const limits = { maxBytes: MAX_BUNDLE_BYTES };
  const packed = await packBundle(directory, limits, rulesForTracked).catch((thrown) => {
    throw asOfCommit(thrown, directory, { id });
  });
  const bundle = { ...packed, skipped: [...skipped, ...packed.skipped] };
  const { digest, files, sizeBytes } = bundle.manifest;
  const said = author.slice(0, MAX_AUTHOR_LENGTH) || null;
  return { bundle, input: { digest, files, sizeBytes, author: said, commit: id } };
}

/** A path as somebody standing in `from` would write it. */
export function shortPath(from: string, path: string): string {
  const short = relative(from, path);
  if (short === '') return '.';
  return short.startsWith('..') ? path : short;
}

/** The name a directory would give its application. */
export function applicationName(directory: string): string {
  return suggestName(basename(directory)) || 'my-app';
}

function currentUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A user id without a name, as in some containers.
    return null;
  }
}

export function asInput<T>(load: () => T): T {
  try {
    return load();
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const { code, message, subject, hint, retryable, details } = thrown;
    throw new InputFault({ code, message, subject, hint, retryable, details, cause: thrown });
  }
}
