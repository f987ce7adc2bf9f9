import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allOf,
  bodyOf,
  found,
  halfWritten,
  type Scratch,
  SOON,
  scratch,
} from './scratch-store.fixture.ts';

const ROUNDS = process.env.BELAY_NIGHTLY ? 60 : 2;

const PROGRAM = join(import.meta.dirname, 'disk-writer-process.fixture.ts');

let place: Scratch;
let writers: Writer[];

beforeEach(() => {
  place = scratch();
  writers = [];
});
afterEach(async () => {
  await Promise.all(writers.map(kill));
  await place.remove();
});

interface Writer {
  child: ChildProcess;
  lines: Interface;
}

async function writer(): Promise<Writer> {
  const child = spawn(process.execPath, [PROGRAM, place.directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('it has no output');
  const started = { child, lines: createInterface(child.stdout) };
  writers.push(started);
  started.lines.on('line', (line) => {
    if (!line.startsWith('round')) place.troubles.push(line);
  });
  await once(started.lines, 'line');
  return started;
}

async function kill({ child }: Writer): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('several processes on one directory', () => {
  it('never read a wrong byte, whoever is killed while writing', async () => {
    const store = await place.store();
    let read = 0;
    const readAll = async (): Promise<void> => {
      for (let key = 0; key < 20; key += 1) {
        const all = await found(store, `key ${key}`);
        if (all === null) continue;
        read += 1;
        // The head tells the digest of its body.
        expect(all.head.split(' ')[0]).toBe(all.body);
      }
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const pair = await Promise.all([writer(), writer()]);
      for (let times = 0; times < 3; times += 1) await readAll();
      // Somewhere in the middle of whatever they are doing.
      await Promise.all(pair.map(kill));
      await readAll();
    }
    expect(read).toBeGreaterThan(50);
    expect(place.troubles).toEqual([]);
  }, 300_000);

  it('sweep what killed ones have left, and nothing of the living', async () => {
    const living = await place.store();
    const being = living.create('key', 'head', null);
    const body = bodyOf(300_000);
    being?.write(body);
    await being?.read(0, 1);
    const killed = await writer();
    await kill(killed);
    await (await place.store()).close();
    await expect.poll(() => halfWritten(place.directory), SOON).toHaveLength(1);
    expect(await being?.finish()).toBe(true);
    being?.close();
    const response = await living.open('key');
    expect(response && (await allOf(response)).equals(body)).toBe(true);
    response?.close();
  });
});
