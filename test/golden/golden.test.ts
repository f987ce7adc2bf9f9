import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packBundle } from '../../src/bundle/pack.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { explainProblems } from '../../src/config/problem.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { layInput, parseCase, withOutput } from './case-file.ts';

/** `UPDATE_GOLDEN=1` writes what is said now into the cases, to be read in the diff. */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

const cases = join(import.meta.dirname, 'cases');
const repository = dirname(dirname(import.meta.dirname));

let parent: string;
let directory: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'belay-golden-'));
  directory = join(parent, 'my-app');
  mkdirSync(directory);
});

afterEach(() => rmSync(parent, { recursive: true }));

/** What can stand behind `run:`. */
const runs: Record<string, (...words: string[]) => unknown> = {
  /** `config ENVIRONMENT [KEY…]`: what was detected, and these values with where they come from. */
  config(environment = '', ...keys) {
    const { configuration, provenance, detection, application } = loadConfiguration(
      directory,
      environment,
    );
    const chosen = keys.map((key) => `${key} (${provenance[key]})`);
    const notes = detection.map(({ what, why }) => `${what}: ${why}`);
    const start = configuration.web.start?.join(' ') ?? configuration.web.upstream;
    return [`${application}: ${start}`, ...notes, ...chosen].join('\n');
  },
  /** `bundle MAX-BYTES`. */
  async bundle(maxBytes) {
    const { manifest, stream, skipped } = await packBundle(directory, {
      maxBytes: Number(maxBytes),
    });
    stream.destroy();
    return JSON.stringify({ ...manifest, skipped });
  },
};

describe('what is said about', () => {
  it.each(readdirSync(cases))('%s', async (name) => {
    const file = join(cases, name);
    const text = readFileSync(file, 'utf8');
    const { runs, inputs, output } = parseCase(text);
    for (const input of inputs) layInput(directory, input);
    const said = await say(runs[0]);
    if (UPDATE) writeFileSync(file, withOutput(text, said));
    else expect(said).toBe(output);
  });
});

async function say([what = '', ...words]: string[]): Promise<string> {
  const run = runs[what];
  if (!run) throw new Error(`no golden case can run '${what}'`);
  try {
    return normalised(`${await run(...words)}\n`);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return normalised(`error: ${thrown.code}\n${explainProblems(thrown, directory)}\n`);
  }
}

function normalised(text: string): string {
  return text
    .replaceAll(directory, '<app>')
    .replaceAll(process.execPath, '<node>')
    .replaceAll(repository, '<belay>');
}
