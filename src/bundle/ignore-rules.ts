import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { systemCode } from '../kernel/fault.ts';

/**
 * Which paths a bundle leaves out. `.gitignore` files count as they do for git, those of the
 * repository above the directory included, so that what is kept from the repository (a `.env`) is
 * kept from the bundle. `.belayignore` files have the same form and the last word.
 *
 * One exception: nothing installs dependencies on an instance, so a `node_modules` that lies beside
 * a package.json is part of the bundle whatever git thinks of it, whole: packages ship directories
 * (`dist`, `build`) that an application's own `.gitignore` names. `.belayignore` still applies.
 */

interface RuleFile {
  /** Absolute: its patterns are relative to it. */
  directory: string;
  rules: Ignore;
}

/** The rules that hold in one directory, outermost first. */
export interface IgnoreRules {
  git: readonly RuleFile[];
  belay: readonly RuleFile[];
  /** Inside installed packages no `.gitignore` counts. */
  installed: boolean;
}

/** The rules that hold at the root of a bundle. */
export function rulesFor(root: string): IgnoreRules {
  const above = repositoryDirectories(root)
    .flatMap((directory) => readRules(directory, '.gitignore'))
    // Who packs an ignored directory means it.
    .filter((file) => verdict([file], root, true) !== 'ignored');
  return enter({ git: above, belay: [], installed: false }, root);
}

/** The rules at the root of a tree that git itself has listed: only `.belayignore` has a say. */
export function rulesForTracked(root: string): IgnoreRules {
  return enter({ git: [], belay: [], installed: true }, root);
}

/** The rules inside a directory that is part of the bundle. */
export function rulesWithin(rules: IgnoreRules, directory: string): IgnoreRules {
  if (isInstalled(directory)) return enter({ ...rules, git: [], installed: true }, directory);
  return enter(rules, directory);
}

export function isLeftOut(rules: IgnoreRules, path: string, isDirectory: boolean): boolean {
  const byBelay = verdict(rules.belay, path, isDirectory);
  if (byBelay !== 'silent') return byBelay === 'ignored';
  if (isDirectory && isInstalled(path)) return false;
  return verdict(rules.git, path, isDirectory) === 'ignored';
}

function enter(rules: IgnoreRules, directory: string): IgnoreRules {
  const git = rules.installed ? [] : readRules(directory, '.gitignore');
  const belay = readRules(directory, '.belayignore');
  return { ...rules, git: [...rules.git, ...git], belay: [...rules.belay, ...belay] };
}

/** The last file that says something decides. */
function verdict(
  files: readonly RuleFile[],
  path: string,
  isDirectory: boolean,
): 'ignored' | 'kept' | 'silent' {
  for (const { directory, rules } of [...files].reverse()) {
    const below = relative(directory, path).split(sep).join('/');
    const result = rules.test(isDirectory ? `${below}/` : below);
    if (result.ignored) return 'ignored';
    if (result.unignored) return 'kept';
  }
  return 'silent';
}

function isInstalled(directory: string): boolean {
  return (
    directory.endsWith(`${sep}node_modules`) && existsSync(join(dirname(directory), 'package.json'))
  );
}

/** From the top of the repository down to the directory's parent; none outside a repository. */
function repositoryDirectories(root: string): string[] {
  const directories: string[] = [];
  for (let at = root; ; at = dirname(at)) {
    if (at !== root) directories.unshift(at);
    if (existsSync(join(at, '.git'))) return directories;
    if (dirname(at) === at) return [];
  }
}

function readRules(directory: string, name: string): RuleFile[] {
  try {
    const text = readFileSync(join(directory, name), 'utf8');
    return [{ directory, rules: ignore().add(text) }];
  } catch (thrown) {
    if (['ENOENT', 'EISDIR'].includes(systemCode(thrown) ?? '')) return [];
    throw thrown;
  }
}
