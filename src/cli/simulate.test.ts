import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { homeFrom } from '../model/home.ts';
import { belay, type Ended } from './scripted-terminal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'simulate-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** No daemon is asked, so there is none. */
const simulate = (...words: string[]): Promise<Ended> =>
  belay({ home: homeFrom({ BELAY_HOME: directory }) }, ['simulate', ...words], { directory });

function lay(name: string, content: string | Buffer): string {
  writeFileSync(join(directory, name), content);
  return name;
}

const minutes = (count: number, requests = 150): string =>
  Array.from({ length: count }, (_, minute) => {
    const at = new Date(Date.UTC(2026, 0, 31, 12, minute)).toISOString().slice(0, 16);
    return `${at},${requests}\n`;
  }).join('');

const HEADER = 'time,requests\n';

describe('a simulation', () => {
  test('prints its account as JSON', async () => {
    lay('flat.csv', `${HEADER}${minutes(10)}`);
    const words = ['--trace', 'flat.csv', '--unit', '100', '--rule', 'knative', '--json'];
    expect((await simulate(...words)).json).toEqual({
      rule: 'knative',
      minutes: 10,
      minutesShort: 0,
      instanceMinutes: 2 + 9 * 3,
      oracleInstanceMinutes: 20,
      costRatio: 1.45,
      actions: 1,
    });
  });

  test('prints an account for each rule, and a table of them', async () => {
    lay('flat.csv', `${HEADER}${minutes(10)}`);
    const words = ['--trace', 'flat.csv', '--unit', '100', '--rule', 'all'];
    const { json } = await simulate(...words, '--json');
    const names = ['belay', 'belay-predict', 'aws', 'hpa', 'knative'];
    expect((json as { rule: string }[]).map(({ rule }) => rule)).toEqual(names);
    const { out } = await simulate(...words);
    for (const name of [...names, 'oracle']) expect(out).toContain(`\n${name}`);
  });

  test('tells a newcomer what came of it', async () => {
    lay('flat.csv', `${HEADER}${minutes(10)}`);
    const words = ['--trace', 'flat.csv', '--unit', '100', '--rule', 'knative'];
    expect((await simulate(...words)).out).toMatchInlineSnapshot(`
      "flat.csv: 10 minutes
      an instance answers 100 requests a minute and boots in 60 s; never fewer than 2

      load        ██████████  150 to 150 a minute
      instances   ▆▆████████  2 to 3

      ✓ knative: enough instances in every minute
        29 instance-minutes, 1.45 × the 20 of an oracle that has just enough in every minute
        1 change of how many are desired
      "
    `);
  });

  test('reads what is compressed, and what Windows and spreadsheets make of a file', async () => {
    const text = `\uFEFFTime, Requests\r\n2026-01-31 12:00:00Z, 5\r\n2026-01-31 12:01:00Z, 6.5\r\n\r\n`;
    lay('trace.csv', text);
    lay('trace.csv.gz', gzipSync(text));
    for (const file of ['trace.csv', 'trace.csv.gz']) {
      expect((await simulate('--trace', file, '--json')).json).toMatchObject({ minutes: 2 });
    }
  });

  test('imagines a load', async () => {
    const words = ['--rps', '1:2m,1..3:2m,3:1m', '--unit', '60', '--min', '1', '--json'];
    // 60, 60, 90, 150 and 180 requests a minute.
    expect((await simulate(...words)).json).toMatchObject({
      minutes: 5,
      oracleInstanceMinutes: 1 + 1 + 2 + 3 + 3,
    });
  });

  test('draws a picture', async () => {
    lay('rise.csv', `${HEADER}${minutes(5)}`);
    const { code } = await simulate('--trace', 'rise.csv', '--unit', '10', '--svg', 'rise.svg');
    const picture = readFileSync(join(directory, 'rise.svg'), 'utf8');
    expect(code).toBe(0);
    expect(picture).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(picture).toContain('prefers-color-scheme: dark');
    expect(picture).toMatch(/<title>2026-01-31 12:01 {2}15 → \d+ {2}\d+ more: /);
    expect(picture).not.toContain('NaN');
  });
});

describe('a trace is refused that', () => {
  test.each([
    ['is empty', '', 'is empty'],
    ['has a blank first line', '\n', 'is empty'],
    ['has no header', '2026-01-31T12:00,5\n', 'line 1 of * is a minute, and must be the header'],
    ['counts something else', 'time,rps\n', "line 1 of * is 'time,rps', and must be the header"],
    ['has nothing but a header', HEADER, 'has a header and no minutes'],
    ['has a cell too few', `${HEADER}2026-01-31T12:00\n`, 'line 2 of * is'],
    ['has a cell too many', `${HEADER}2026-01-31T12:00,1,2\n`, 'line 2 of * is'],
    ['names no moment', `${HEADER}noon,5\n`, "line 2 of * has the time 'noon'"],
    ['has seconds', `${HEADER}2026-01-31T12:00:30,5\n`, 'line 2 of * has the time'],
    ['has a negative number', `${HEADER}2026-01-31T12:00,-5\n`, 'has -5 requests'],
    ['has no number', `${HEADER}2026-01-31T12:00,many\n`, "has 'many' requests"],
    ['has NaN', `${HEADER}2026-01-31T12:00,NaN\n`, "has 'NaN' requests"],
    ['has an exponent', `${HEADER}2026-01-31T12:00,1e3\n`, "has '1e3' requests"],
    ['leaves out a number', `${HEADER}2026-01-31T12:00,\n`, 'has no number of requests'],
    ['has more than anybody', `${HEADER}2026-01-31T12:00,9999999999999\n`, 'more than anybody has'],
    [
      'has a gap',
      `${HEADER}2026-01-31T12:00,5\n2026-01-31T12:03,5\n`,
      'line 3 of * is 2026-01-31T12:03, right after 2026-01-31T12:00: 2 minutes are missing',
    ],
    [
      'has a minute twice',
      `${HEADER}2026-01-31T12:00,5\n2026-01-31T12:00,5\n`,
      'line 3 of * has 2026-01-31T12:00 a second time',
    ],
    [
      'goes back',
      `${HEADER}2026-01-31T12:00,5\n2026-01-31T11:00,5\n`,
      'line 3 of * goes back in time',
    ],
    [
      'has a blank line',
      `${HEADER}2026-01-31T12:00,5\n\n2026-01-31T12:01,5\n`,
      'line 3 of * is blank',
    ],
    ['is no text', Buffer.alloc(100_000, 0x41), 'has lines too long for a trace'],
  ])('%s', async (_, content, problem) => {
    const file = lay('bad.csv', content);
    const { code, err, out } = await simulate('--trace', file);
    expect(code).toBe(64);
    expect(err.toLowerCase()).toContain(problem.replace('*', file).toLowerCase());
    expect(out).toBe('');
  });

  test('is not there, is a directory, or is not compressed as its name says', async () => {
    lay('plain.csv.gz', `${HEADER}${minutes(2)}`);
    expect((await simulate('--trace', 'none.csv')).err).toContain('there is no such file');
    expect((await simulate('--trace', '.')).err).toContain('it is a directory');
    expect((await simulate('--trace', 'plain.csv.gz')).err).toContain('not compressed by gzip');
  });

  test('unpacks to a line without end', async () => {
    lay('bomb.csv.gz', gzipSync(Buffer.alloc(50_000_000, 0x30)));
    expect((await simulate('--trace', 'bomb.csv.gz')).err).toContain('lines too long');
  });
});

describe('words are refused that', () => {
  test.each([
    ['name no load', [], '--trace or --rps'],
    ['name two', ['--trace', 'a.csv', '--rps', '5:1m'], 'are two loads'],
    [
      'name no rule',
      ['--rps', '5:1m', '--rule', 'best'],
      'belay, belay-predict, aws, hpa, knative',
    ],
    [
      'draw all rules',
      ['--rps', '5:1m', '--rule', 'all', '--svg', 'a.svg'],
      '--svg draws one rule',
    ],
    ['contradict', ['--rps', '5:1m', '--min', '4', '--max', '3'], '--min is 4, more than --max, 3'],
    ['have no unit', ['--rps', '5:1m', '--unit', '0'], '--unit'],
    ['have no share', ['--rps', '5:1m', '--target', '0'], '--target'],
    ['boot for days', ['--rps', '5:1m', '--boot', '90000'], 'more than a day'],
    ['imagine nothing', ['--rps', 'a lot'], "--rps has 'a lot'"],
    ['imagine half a minute', ['--rps', '5:90s'], 'does not last whole minutes'],
    ['imagine years', ['--rps', Array(60).fill('5:7d').join()], 'longer than a year'],
    ['write nowhere', ['--rps', '5:1m', '--svg', 'no/where.svg'], 'cannot be written'],
  ])('%s', async (_, words, problem) => {
    const { code, err } = await simulate(...words);
    expect({ code, err }).toEqual({ code: 64, err: expect.stringContaining(problem) });
  });
});
