import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../kernel/fault.ts';
import { nameProblem, suggestName } from '../model/name.ts';
import { unreadable } from './detect.ts';
import { evaluateConfiguration } from './evaluate.ts';
import { evaluationFault } from './evaluation-fault.ts';
import { locateKey } from './locate.ts';
import { type Problem, problemsFault } from './problem.ts';
import type { Complaint } from './reader.ts';
import { type Definition, readDefinition } from './schema.ts';

const FILE_NAMES = ['belay.config.ts', 'belay.config.js', 'belay.config.mjs'];

/** A configuration file as it was read, before it is resolved for an environment. */
export interface ConfigurationFile {
  path: string;
  source: string;
  /** Without the values that there are problems with. */
  definition: Definition;
  problems: Problem[];
}

/**
 * Reads the configuration file of a directory; null when there is none.
 *
 * @throws `config-syntax`, `config-threw`, `config-unreadable`, and `config-invalid` when it exports
 *   nothing
 */
export function readConfigurationFile(root: string): ConfigurationFile | null {
  for (const path of FILE_NAMES.map((name) => join(root, name))) {
    const source = readSource(path);
    if (source === null) continue;
    const written = exported(path, source);
    const complaints: Complaint[] = [];
    const definition = readDefinition(written, '', (complaint) => complaints.push(complaint)) ?? {};
    const problem = definition.name === undefined ? null : nameProblem(definition.name);
    const problems = complaints.map((complaint) => problemAt(path, source, complaint));
    if (problem !== null && definition.name !== undefined) {
      problems.unshift(badName(path, source, definition.name, problem));
    }
    return { path, source, definition, problems };
  }
  return null;
}

/**
 * @param contradictions what is wrong with its values together
 * @throws `config-invalid` or `bad-name` when there is anything wrong
 */
export function refuseBad(file: ConfigurationFile, contradictions: readonly Complaint[]): void {
  const { path, source, problems } = file;
  // Where a value could not be read, another stands in for it and contradicts nothing.
  const badSections = problems.map(({ keyPath }) => sectionOf(keyPath));
  const further = contradictions
    .filter(({ keyPath }) => !badSections.includes(sectionOf(keyPath)))
    .map((complaint) => problemAt(path, source, complaint));
  const all = [...problems, ...further].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  if (all.length > 0) throw problemsFault(path, all);
}

const sectionOf = (keyPath: string): string => keyPath.slice(0, keyPath.lastIndexOf('.') + 1);

function readSource(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return null;
    throw unreadable(path, cause);
  }
}

function exported(path: string, source: string): unknown {
  let module: Record<string, unknown>;
  try {
    module = evaluateConfiguration(path);
  } catch (thrown) {
    throw evaluationFault(path, source, thrown);
  }
  if (module.default !== undefined) return module.default;
  throw problemsFault(path, [
    {
      file: path,
      line: null,
      keyPath: '',
      what: 'the file exports no application',
      hint: "end it with: export default app('my-app', { … })",
      kind: 'invalid',
    },
  ]);
}

function problemAt(file: string, source: string, complaint: Complaint): Problem {
  const { keyPath, what, hint } = complaint;
  const written = keyPath === '' ? `the application ${what}` : what;
  const line = locateKey(source, keyPath);
  return { file, line, keyPath, what: written, hint, kind: 'invalid' };
}

function badName(file: string, source: string, name: string, problem: string): Problem {
  const suggestion = suggestName(name);
  return {
    file,
    line: locateKey(source, 'name'),
    keyPath: '',
    what: `the application name '${name}' ${problem}`,
    hint: suggestion === '' ? null : `'${suggestion}' would do`,
    kind: 'name',
  };
}
