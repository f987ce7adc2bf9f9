import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, resolve } from 'node:path';
import { Fault, systemCode } from '../../kernel/fault.ts';
import type { Variables } from '../../model/configuration.ts';

const REFERENCE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g;

/**
 * Turns a command into the vector that is executed: variables expanded, the program as an absolute
 * path. No shell has a part in it.
 *
 * @throws `bad-command`, `command-not-found`, `not-executable`
 */
export async function resolveCommand(
  command: readonly string[],
  variables: Variables,
  directory: string,
): Promise<string[]> {
  const [program, ...args] = command.map((word) => expand(word, variables));
  if (program === undefined || program.trim() === '') {
    throw new Fault({
      code: 'bad-command',
      message: 'the command is empty',
      hint: "write a program and its arguments, as in 'node server.js'",
    });
  }
  const nul = [program, ...args].find((word) => word.includes('\0'));
  if (nul !== undefined) {
    throw new Fault({ code: 'bad-command', message: 'the command holds a NUL character' });
  }
  await requireDirectory(directory);
  const path = program.includes('/')
    ? await findAt(program, directory)
    : await findOnPath(program, variables.PATH ?? '', directory);
  return [path, ...args];
}

/** Replaces `$NAME` and `${NAME}`; a dollar sign before anything else stands for itself. */
export function expand(word: string, variables: Variables): string {
  return word.replace(REFERENCE, (reference, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined) return value;
    throw new Fault({
      code: 'bad-command',
      message: `the command names ${reference}, which is not set`,
      subject: name,
      hint: `set it with 'belay env set ${name}=…' or under \`variables\` in belay.config.ts`,
    });
  });
}

async function requireDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => null);
  if (found?.isDirectory()) return;
  throw new Fault({
    code: 'bad-command',
    message: `the directory to start in, ${directory}, is not there`,
    subject: directory,
    hint: 'deploy the version again',
  });
}

async function findAt(program: string, directory: string): Promise<string> {
  const path = resolve(directory, program);
  const state = await examine(path);
  if (state === 'program') return path;
  if (state === 'not-executable') throw notExecutable(path);
  throw new Fault({
    code: 'command-not-found',
    message: `the command '${program}' is not in the version: there is no ${path}`,
    subject: program,
    hint: 'check the path; it is taken from the folder that was deployed',
  });
}

async function findOnPath(program: string, path: string, directory: string): Promise<string> {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  let refused: string | null = null;
  for (const folder of folders) {
    const base = isAbsolute(folder) ? folder : resolve(directory, folder);
    const candidate = resolve(base, program);
    const state = await examine(candidate);
    if (state === 'program') return candidate;
    if (state === 'not-executable') refused ??= candidate;
  }
  if (refused !== null) throw notExecutable(refused);
  throw new Fault({
    code: 'command-not-found',
    message: `there is no program '${program}' on the instance's PATH`,
    subject: program,
    hint: `install ${program}, or write './${program}' for a file of the version`,
    details: { path: folders },
  });
}

function notExecutable(path: string): Fault {
  return new Fault({
    code: 'not-executable',
    message: `${path} is there and may not be executed`,
    subject: path,
    hint: `run 'chmod +x' on it, or start it through its interpreter, as in 'node ${path}'`,
  });
}

async function examine(path: string): Promise<'program' | 'not-executable' | 'missing'> {
  try {
    if (!(await stat(path)).isFile()) return 'missing';
    await access(path, constants.X_OK);
    return 'program';
  } catch (thrown) {
    return systemCode(thrown) === 'EACCES' ? 'not-executable' : 'missing';
  }
}
