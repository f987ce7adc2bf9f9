import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A golden case is one file: what is done, the input files, a line of dashes, then the output or
 * the error. Small enough to read in a diff.
 *
 *     given: a daemon
 *     run: config production
 *     >>> belay.config.ts
 *     export default {};
 *     >>> out -> ../elsewhere
 *     >>> assets/
 *     >>> film.mp4 (600000000 bytes)
 *     -----
 *     what is said about it
 */
export interface GoldenCase {
  /** What is behind `given:`, the state of the world; empty when nothing is said. */
  given: string;
  /** The words behind each `run:`, one after the other. */
  runs: [string[], ...string[][]];
  inputs: GoldenInput[];
  output: string;
}

export type GoldenInput =
  | { kind: 'file'; path: string; content: string }
  | { kind: 'link'; path: string; target: string }
  /** Nothing but zeros, which take no room on the disk. */
  | { kind: 'zeros'; path: string; sizeBytes: number }
  | { kind: 'directory'; path: string };

const DASHES = /^-{5,}$/m;

export function parseCase(text: string): GoldenCase {
  const dashes = DASHES.exec(text);
  const input = dashes ? text.slice(0, dashes.index) : text;
  const output = dashes ? text.slice(dashes.index + dashes[0].length + 1) : '';
  const [head = '', ...parts] = input.split(/^>>> /m);
  const given = /^given: (.*)$/m.exec(head)?.[1]?.trim() ?? '';
  const [run, ...rest] = [...head.matchAll(/^run: (.*)$/gm)].map(([, words = '']) =>
    words.trim().split(/\s+/),
  );
  if (!run) throw new Error('a golden case has a line "run: …"');
  return { given, runs: [run, ...rest], inputs: parts.map(parseInput), output };
}

/** The case with another output. */
export function withOutput(text: string, output: string): string {
  const dashes = DASHES.exec(text);
  const input = dashes ? text.slice(0, dashes.index) : `${text.trimEnd()}\n`;
  return `${input}-----\n${output}`;
}

/** Makes an input below a directory. */
export function layInput(directory: string, input: GoldenInput): void {
  const path = join(directory, input.path);
  mkdirSync(input.kind === 'directory' ? path : dirname(path), { recursive: true });
  if (input.kind === 'file') writeFileSync(path, input.content);
  if (input.kind === 'link') symlinkSync(input.target, path);
  if (input.kind === 'zeros') {
    writeFileSync(path, '');
    truncateSync(path, input.sizeBytes);
  }
}

function parseInput(part: string): GoldenInput {
  const end = part.indexOf('\n');
  const path = part.slice(0, end).trim();
  const [from, target] = path.split(' -> ');
  if (from !== undefined && target !== undefined) return { kind: 'link', path: from, target };
  const [, zeros, sizeBytes] = /^(.+) \((\d+) bytes\)$/.exec(path) ?? [];
  if (zeros !== undefined) return { kind: 'zeros', path: zeros, sizeBytes: Number(sizeBytes) };
  if (path.endsWith('/')) return { kind: 'directory', path };
  return { kind: 'file', path, content: part.slice(end + 1) };
}
