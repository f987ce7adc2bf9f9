import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The rules of the house that no compiler holds: which room may import which, what only the kernel
 * may call, how long a file may be, what a file may be named. A broken rule is told with its file,
 * its line and the rule. An exception is written down here with its reason, and must be needed.
 */

const ROOT = join(import.meta.dirname, '..');
const MAX_LINES = 400;

/** What each room may import from the others: a room whole, or single files of it. */
const ROOMS: Record<string, readonly string[]> = {
  kernel: [],
  model: ['kernel'],
  plan: ['kernel', 'model'],
  config: ['kernel', 'model'],
  bundle: ['kernel', 'model'],
  static: ['kernel', 'model'],
  runtime: ['kernel', 'model'],
  edge: ['kernel', 'model'],
  store: ['kernel', 'model'],
  control: [
    ...['kernel', 'model', 'plan'],
    ...['bundle/driver.ts', 'edge/driver.ts', 'runtime/driver.ts', 'store/driver.ts'],
  ],
  api: ['kernel', 'model', 'control/control.ts'],
  cli: [
    'kernel',
    'model',
    'plan',
    'config',
    'bundle',
    'api/client.ts',
    'api/addresses.ts',
    'api/routes.ts',
  ],
};

/** Composition roots: they name the concrete drivers, so they see everything. */
const ROOTS = ['src/main.ts', 'src/daemon.ts'];

const BANNED_CALLS: { rule: string; pattern: RegExp }[] = [
  {
    rule: 'the wall clock is read through Clock',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/,
  },
  {
    rule: 'durations are measured through Clock',
    pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/,
  },
  { rule: 'timers are set through Clock', pattern: /\bset(?:Timeout|Interval)\(/ },
  {
    rule: 'randomness comes from kernel/random.ts',
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/,
  },
];

/** Exceptions to the banned calls, each with its reason. */
const CALLS_ALLOWED: Record<string, string> = {};

/** Files longer than the rule, each with its reason. */
const LONG_FILES: Record<string, string> = {};

interface Source {
  /** From the repository's root, with forward slashes. */
  path: string;
  lines: string[];
  /** The same lines with comments and strings blanked. */
  code: string[];
}

const sources = ['src', 'test', 'bench', 'scripts'].flatMap(sourcesBelow);
const program = sources.filter(({ path }) => path.startsWith('src/') && !isForTests(path));

describe('the house', () => {
  it('keeps the import directions', () => {
    const broken = program
      .filter(({ path }) => !ROOTS.includes(path))
      .flatMap((source) => importsOf(source).flatMap((each) => directionProblem(source, each)));
    expect(broken).toEqual([]);
  });

  it('has a rule for every room', () => {
    const rooms = new Set(program.map(({ path }) => roomOf(path)).filter((room) => room !== ''));
    expect([...rooms].filter((room) => !(room in ROOMS))).toEqual([]);
  });

  it('has no file that imports itself by way of another room', () => {
    expect(cyclesAcrossRooms()).toEqual([]);
  });

  it('reads clocks, timers and randomness in the kernel alone', () => {
    const elsewhere = program.filter(({ path }) => roomOf(path) !== 'kernel');
    const broken = BANNED_CALLS.flatMap(({ rule, pattern }) =>
      matches(elsewhere, pattern).map((hit) => ({ ...hit, rule })),
    );
    expect(broken.filter(({ path }) => !(path in CALLS_ALLOWED)).map(told)).toEqual([]);
    const needed = new Set(broken.map(({ path }) => path));
    expect(Object.keys(CALLS_ALLOWED).filter((path) => !needed.has(path))).toEqual([]);
  });

  it('has no any', () => {
    const pattern = /(?:[:<]\s*|\bas )an[y]\b/;
    expect(matches(sources, pattern).map((hit) => told({ ...hit, rule: 'no any' }))).toEqual([]);
  });

  it(`has no file of more than ${MAX_LINES} lines without a reason`, () => {
    const long = program.filter(({ lines }) => lines.length > MAX_LINES);
    const unexplained = long.filter(({ path }) => !(path in LONG_FILES));
    expect(unexplained.map(({ path, lines }) => `${path}:${lines.length}: too long`)).toEqual([]);
    const present = new Set(program.map(({ path }) => path));
    expect(Object.keys(LONG_FILES).filter((path) => !present.has(path))).toEqual([]);
  });

  it('names files after nouns, and has no barrels', () => {
    const vague = /(?:^|[/.-])(?:util|utils|helper|helpers|common|manager|misc)(?:[/.-]|$)/;
    const broken = sources
      .filter(
        ({ path }) =>
          vague.test(path) ||
          (basename(path).startsWith('index.') && path !== 'src/config/index.ts'),
      )
      .map(({ path }) => `${path}:1: a file is named after what it holds`);
    expect(broken).toEqual([]);
  });

  it('says the version that its package has', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    const said = program.filter(({ lines }) => lines.includes(`const VERSION = '${version}';`));
    expect(said.map(({ path }) => path)).toEqual(['src/main.ts']);
  });

  it('names no place of one machine in a tracked file', () => {
    // A directory of somebody's own, or an address of a registry that is not the public one.
    const place = /(?<![\w.*}/-])\/(?:home\/(?!me\/|you\/)\w|(?:ro{2}t|w[o]rk)(?:\/|(?=['"`\s])))/;
    const registry = /"r[e]solved": "(?!https:\/\/registry\.npmjs\.org\/)|^registry\s*=/;
    const broken = trackedTexts().flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        place.test(line) || registry.test(line)
          ? [`${path}:${index + 1}: names a place of one machine: ${line.trim().slice(0, 100)}`]
          : [],
      ),
    );
    expect(broken).toEqual([]);
  });
});

function isForTests(path: string): boolean {
  return /\.(?:test|fixture)\.ts$/.test(path);
}

function sourcesBelow(folder: string): Source[] {
  let names: string[];
  try {
    names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = posix.join(folder, name.replaceAll('\\', '/'));
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, lines: linesOf(text), code: linesOf(blanked(text)) };
    });
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** Comments and strings replaced by blanks of their length, so that lines stay where they are. */
function blanked(text: string): string {
  const notCode =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(notCode, (found) => found.replace(/[^\n]/g, ' '));
}

/** `kernel` for `src/kernel/clock.ts`; empty for what lies directly in `src`. */
function roomOf(path: string): string {
  const [, room = '', file] = path.split('/');
  return file === undefined ? '' : room;
}

interface Import {
  line: number;
  /** The imported file's path; only our own files. */
  path: string;
}

function importsOf({ path, lines }: Source): Import[] {
  const specifier = /(?:\bfrom|\bimport\(?)\s*'(\.[^']+)'/g;
  return lines.flatMap((line, index) =>
    [...line.matchAll(specifier)].map(([, target = '']) => ({
      line: index + 1,
      path: posix.join(dirname(path), target),
    })),
  );
}

function directionProblem(source: Source, imported: Import): string[] {
  const [from, to] = [roomOf(source.path), roomOf(imported.path)];
  const allowed = ROOMS[from] ?? [];
  if (from === to || allowed.includes(to)) return [];
  if (allowed.includes(imported.path.replace(/^src\//, ''))) return [];
  const may = allowed.length === 0 ? 'nothing else' : allowed.join(', ');
  return [`${source.path}:${imported.line}: imports ${imported.path}; ${from} may see ${may}`];
}

function cyclesAcrossRooms(): string[] {
  const graph = new Map(
    program.map((each) => [each.path, importsOf(each).map(({ path }) => path)]),
  );
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const cycle = trail.slice(start);
      if (new Set(cycle.map(roomOf)).size > 1) cycles.push(`${[...cycle, path].join(' → ')}`);
      return;
    }
    if (finished.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

interface Hit {
  path: string;
  line: number;
  text: string;
}

function matches(among: readonly Source[], pattern: RegExp): Hit[] {
  return among.flatMap(({ path, lines, code }) =>
    code.flatMap((line, index) =>
      pattern.test(line) ? [{ path, line: index + 1, text: (lines[index] ?? '').trim() }] : [],
    ),
  );
}

const told = ({ path, line, text, rule }: Hit & { rule: string }): string =>
  `${path}:${line}: ${rule}: ${text}`;

/** What git tracks; nothing where there is no clone, as in an unpacked archive. */
function trackedTexts(): { path: string; lines: string[] }[] {
  let listed: string;
  try {
    listed = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  } catch {
    return [];
  }
  return listed
    .split('\0')
    .filter(Boolean)
    .flatMap((path) => {
      try {
        return [{ path, lines: readFileSync(join(ROOT, path), 'utf8').split('\n') }];
      } catch {
        return []; // Removed, and the removal not yet committed.
      }
    });
}
