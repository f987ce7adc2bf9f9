import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layInput, parseCase, withOutput } from './case-file.ts';
import { holdings, makeWorld, NotHere, processesOf, program, type World } from './world.ts';

/**
 * Bad input as a user meets it: the real program, a real daemon, what it says on both streams and
 * its exit code; and behind it, what is left of it. `UPDATE_GOLDEN=1` writes what is said now.
 */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

const cases = join(import.meta.dirname, 'command-line');

let shared: string;
let place: string;

beforeAll(async () => {
  shared = mkdtempSync(join(tmpdir(), 'bg-'));
  const world = await makeWorld('a daemon', shared, shared);
  const { code, lines } = await belay(['daemon', 'start'], world, shared);
  expect(code, lines.join('\n')).toBe(0);
});

afterAll(async () => {
  const world = await makeWorld('a daemon', shared, shared);
  await belay(['down', '--all', '--yes'], world, shared);
  await belay(['daemon', 'stop'], world, shared);
  expect(processesOf(world)).toEqual([]);
  rmSync(shared, { recursive: true });
});

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'bg-'));
  mkdirSync(join(place, 'my-app'));
});

afterEach(() => rmSync(place, { recursive: true }));

describe('a user is told about', () => {
  it.for(readdirSync(cases))('%s', async (name, { skip }) => {
    const file = join(cases, name);
    const text = readFileSync(file, 'utf8');
    const { given, runs, inputs, output } = parseCase(text);
    const world = await makeWorld(given, place, shared).catch((thrown: unknown) => {
      if (thrown instanceof NotHere) return thrown;
      throw thrown;
    });
    if (world instanceof NotHere) return skip(world.message);
    const app = join(place, 'my-app');
    for (const input of inputs) layInput(app, input);
    const said: string[] = [];
    try {
      const before = holdings(world);
      for (const words of runs) said.push(...told(words, await belay(words, world, app)));
      const left = holdings(world).filter((each) => !before.includes(each));
      said.push(`left behind: ${left.length === 0 ? 'nothing' : left.join(', ')}`);
      if (given !== 'a daemon') expect(processesOf(world)).toEqual([]);
    } finally {
      await world.close();
    }
    const now = normalised(`${said.join('\n')}\n`, world);
    if (UPDATE) writeFileSync(file, withOutput(text, now));
    else expect(now).toBe(output);
  });
});

interface Outcome {
  /** Both streams, each line marked with its own. */
  lines: string[];
  code: number | null;
}

async function belay(words: readonly string[], world: World, directory: string): Promise<Outcome> {
  const [command = '', ...rest] = [...world.prefix, program, ...words];
  const child = spawn(command, rest, {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOME: place ?? shared,
      BELAY_HOME: world.home,
      BELAY_HTTP: '0',
      ...world.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const streams = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    streams.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    streams.err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = [...marked('err', streams.err), ...marked('out', streams.out)];
  return { lines, code };
}

const marked = (stream: string, text: string): string[] =>
  text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${stream}  ${line}`.trimEnd());

const told = (words: readonly string[], { lines, code }: Outcome): string[] => [
  `$ belay ${words.join(' ')}`,
  ...lines,
  `exit code ${code}`,
  '',
];

function normalised(text: string, { names }: World): string {
  const known = { ...names, [join(place, 'my-app')]: '<app>', [place]: '<place>' };
  return Object.entries({ ...known, [dirname(dirname(program))]: '<belay>' })
    .reduce((result, [value, name]) => result.replaceAll(value, name), text)
    .replaceAll(/\bi-[0-9a-f]{8}\b/g, 'i-<id>')
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<digest>')
    .replaceAll(/(process|localhost:|"freeBytes":)( ?)\d+/g, '$1$2<number>')
    .replaceAll(/\b\d+(\.\d)? [kMG]B are free/g, '<room> are free')
    .replaceAll(` by ${userInfo().username} `, ' by <user> ')
    .replaceAll(/\b\d+(\.\d)? (ms|s)\b/g, '<time>');
}
