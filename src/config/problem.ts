import { isAbsolute, relative } from 'node:path';
import { Fault } from '../kernel/fault.ts';

/** Something wrong in what a user wrote: where, what, and what to do about it. */
export interface Problem {
  /** Absolute. */
  file: string;
  /** From 1; null when it cannot be told. */
  line: number | null;
  /** `web.capacity.min`; empty for the file as a whole. */
  keyPath: string;
  /** One sentence without a period. */
  what: string;
  hint: string | null;
  kind: 'invalid' | 'name';
}

/** All problems of a file in one fault: a configuration is refused whole. */
export function problemsFault(file: string, problems: readonly Problem[]): Fault {
  const [first] = problems;
  const single = problems.length === 1 && first !== undefined;
  return new Fault({
    code: problems.every((problem) => problem.kind === 'name') ? 'bad-name' : 'config-invalid',
    message: single ? sentence(first) : `the configuration has ${problems.length} problems`,
    subject: single ? location(first, first.file) : file,
    hint: single ? (first.hint ?? undefined) : undefined,
    details: { problems },
  });
}

/** The problems a fault of this folder carries; none when it is of another kind. */
export function problemsOf(fault: Fault): readonly Problem[] {
  const problems = fault.details?.problems;
  // Put there by `problemsFault`, or by its JSON on the other side of a socket. Faults of other
  // folders have problems of other kinds.
  return Array.isArray(problems) ? problems.filter(isOfFile) : [];
}

const isOfFile = (problem: unknown): problem is Problem =>
  typeof problem === 'object' && problem !== null && 'file' in problem && 'keyPath' in problem;

/**
 * A fault for people: every problem with its place and what to do next.
 *
 * @param directory paths are shown relative to it where they lie below it
 */
export function explainProblems(fault: Fault, directory: string): string {
  const problems = problemsOf(fault);
  const blocks =
    problems.length > 0
      ? problems.map((problem) =>
          block(location(problem, shown(problem.file, directory)), sentence(problem), problem.hint),
        )
      : [block(fault.subject ? shown(fault.subject, directory) : null, fault.message, fault.hint)];
  const count = problems.length > 1 ? [`${problems.length} problems; nothing was changed.`] : [];
  return [...blocks, ...count].join('\n\n');
}

function block(place: string | null, what: string, hint: string | null | undefined): string {
  const lines = what.split('\n').map((line) => `  ${line}`);
  return [...(place ? [place] : []), ...lines, ...(hint ? [`  Next: ${hint}`] : [])].join('\n');
}

const sentence = (problem: Problem): string =>
  problem.keyPath === '' ? problem.what : `${problem.keyPath} ${problem.what}`;

const location = (problem: Problem, file: string): string =>
  problem.line === null ? file : `${file}:${problem.line}`;

function shown(path: string, directory: string): string {
  if (!isAbsolute(path)) return path;
  const below = relative(directory, path);
  return below === '' || below.startsWith('..') ? path : below;
}
