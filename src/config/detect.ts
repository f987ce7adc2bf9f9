import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault, systemCode } from '../kernel/fault.ts';
import { type CommandLine, parseCommandLine } from './command.ts';
import { lineOf } from './locate.ts';
import { type Problem, problemsFault } from './problem.ts';

/** One thing that was seen in the directory, and what follows from it. */
export interface Detection {
  /** `Procfile`. */
  what: string;
  /** `its web line starts the app: node server.js`. */
  why: string;
}

export interface DetectedStart {
  /** Null when nothing in the directory says how to start it. */
  start: CommandLine | null;
  detection: Detection[];
}

/**
 * How to start what is in a directory that does not say so: Procfile, Dockerfile, package.json,
 * index.html, the first that does.
 *
 * @throws `config-invalid` when what it finds cannot be used, `config-unreadable`
 */
export function detectStart(directory: string): DetectedStart {
  const detection: Detection[] = [];
  const note = (what: string, why: string) => detection.push({ what, why });
  const start =
    fromProcfile(directory, note) ??
    fromDockerfile(directory, note) ??
    fromPackage(directory, note) ??
    fromIndex(directory, note);
  return { start, detection };
}

/** The command line that serves the current directory as a static site. */
export function staticServerCommand(): string[] {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const server = new URL(`../static/main.${extension}`, import.meta.url);
  return [process.execPath, fileURLToPath(server), '.'];
}

type Note = (what: string, why: string) => void;

function fromProcfile(directory: string, note: Note): CommandLine | null {
  const file = join(directory, 'Procfile');
  const text = readIfThere(file);
  if (text === null) return null;
  const line = /^web:[ \t]*(.*)$/m.exec(text)?.[1]?.trim();
  if (line === undefined) {
    note('Procfile', 'it has no web line; passed over');
    return null;
  }
  const start = parseFound(file, 'web', line, lineOf(text, /^web:/m));
  note('Procfile', `its web line starts the app: ${line}`);
  return start;
}

function fromDockerfile(directory: string, note: Note): null {
  if (existsSync(join(directory, 'Dockerfile'))) {
    note('Dockerfile', 'it needs a container runtime, which is not supported yet; passed over');
  }
  return null;
}

function fromPackage(directory: string, note: Note): CommandLine | null {
  const file = join(directory, 'package.json');
  const text = readIfThere(file);
  if (text === null) return null;
  const line = startScript(file, text);
  if (line === null) {
    note('package.json', 'it has no start script; passed over');
    return null;
  }
  const start = parseFound(file, 'scripts.start', line, lineOf(text, /"start"\s*:/));
  note('package.json', `its start script starts the app: ${line}`);
  return withInstalledProgram(directory, start, note);
}

/** npm puts node_modules/.bin on the path of scripts; there is no npm here, so the path is written out. */
function withInstalledProgram(directory: string, start: CommandLine, note: Note): CommandLine {
  const [program = '', ...args] = start.command;
  const installed = `node_modules/.bin/${program}`;
  if (program.includes('/') || !existsSync(join(directory, installed))) return start;
  note('node_modules', `${program} is installed there, and is run as ${installed}`);
  return { ...start, command: [installed, ...args] };
}

function fromIndex(directory: string, note: Note): CommandLine | null {
  if (!existsSync(join(directory, 'index.html'))) return null;
  note('index.html', 'a static site, served by a small file server that comes with Belay');
  return { variables: {}, command: staticServerCommand() };
}

function startScript(file: string, text: string): string | null {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Fault({
      code: 'config-unreadable',
      message: `package.json is not JSON: ${cause instanceof Error ? cause.message : cause}`,
      subject: file,
      hint: 'correct it, or say how to start the app in belay.config.ts',
      cause,
    });
  }
  if (typeof content !== 'object' || content === null || !('scripts' in content)) return null;
  const { scripts } = content;
  if (typeof scripts !== 'object' || scripts === null || !('start' in scripts)) return null;
  return typeof scripts.start === 'string' && scripts.start.trim() !== '' ? scripts.start : null;
}

function parseFound(file: string, keyPath: string, text: string, line: number | null): CommandLine {
  try {
    return parseCommandLine(text);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const hint = 'put it in a script file, start.sh, and make this line: sh start.sh';
    const problem: Problem = { file, line, keyPath, what: thrown.message, hint, kind: 'invalid' };
    throw problemsFault(file, [problem]);
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return null;
    throw unreadable(file, cause);
  }
}

export function unreadable(file: string, cause: unknown): Fault {
  const reasons: Record<string, string> = {
    EACCES: 'may not be read by this user',
    EISDIR: 'is a directory',
    ENOENT: 'is not there',
    ENOTDIR: 'is not a directory',
  };
  const code = systemCode(cause) ?? '';
  return new Fault({
    code: 'config-unreadable',
    message: `${basename(file)} ${reasons[code] ?? `cannot be read (${code || cause})`}`,
    subject: file,
    hint: 'check the path and its permissions',
    cause,
  });
}
