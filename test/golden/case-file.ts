/**
 * A golden case is one file: what is done, the input files, a line of dashes, then the output or
 * the error. Small enough to read in a diff.
 *
 *     run: config production
 *     >>> belay.config.ts
 *     export default {};
 *     >>> out -> ../elsewhere
 *     >>> assets/
 *     -----
 *     what is said about it
 */
export interface GoldenCase {
  /** The words behind `run:`. */
  run: string[];
  inputs: GoldenInput[];
  output: string;
}

export type GoldenInput =
  | { kind: 'file'; path: string; content: string }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'directory'; path: string };

const DASHES = /^-{5,}$/m;

export function parseCase(text: string): GoldenCase {
  const dashes = DASHES.exec(text);
  const input = dashes ? text.slice(0, dashes.index) : text;
  const output = dashes ? text.slice(dashes.index + dashes[0].length + 1) : '';
  const [head = '', ...parts] = input.split(/^>>> /m);
  const run = /^run: (.*)$/m.exec(head)?.[1]?.trim().split(/\s+/);
  if (!run) throw new Error('a golden case begins with a line "run: …"');
  return { run, inputs: parts.map(parseInput), output };
}

/** The case with another output. */
export function withOutput(text: string, output: string): string {
  const dashes = DASHES.exec(text);
  const input = dashes ? text.slice(0, dashes.index) : `${text.trimEnd()}\n`;
  return `${input}-----\n${output}`;
}

function parseInput(part: string): GoldenInput {
  const end = part.indexOf('\n');
  const path = part.slice(0, end).trim();
  const [from, target] = path.split(' -> ');
  if (from !== undefined && target !== undefined) return { kind: 'link', path: from, target };
  if (path.endsWith('/')) return { kind: 'directory', path };
  return { kind: 'file', path, content: part.slice(end + 1) };
}
