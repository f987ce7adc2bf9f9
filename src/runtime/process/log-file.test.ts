import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../kernel/clock.ts';
import { silentLog } from '../../kernel/log.ts';
import { logBound } from './log-bound.ts';
import { followLog, tailLog } from './log-file.ts';

const BLOCK = 64 * 1024;

/** Whether files here can have holes. */
function canPunch(): boolean {
  const path = join(tmpdir(), `belay-hole-${process.pid}`);
  try {
    execFileSync('sh', ['-c', 'echo x >"$0" && fallocate -p -o 0 -l 1 "$0"', path]);
    return true;
  } catch {
    return false;
  } finally {
    execFileSync('rm', ['-f', path]);
  }
}
const holes = canPunch();

describe('a log', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'belay-log-'));
    path = join(folder, 'i-00000001.log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Numbered lines of 16 bytes. */
  const numbered = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => String(from + index).padStart(15, '0'));
  const text = (lines: string[]): string => lines.map((line) => `${line}\n`).join('');
  const punch = (length: number): Buffer =>
    execFileSync('fallocate', ['--punch-hole', '--offset', '0', '--length', `${length}`, path]);

  describe('by its tail', () => {
    it.each([
      ['nothing of an empty one', '', 3, []],
      ['fewer lines than were asked for', 'a\nb\n', 3, ['a', 'b']],
      ['the last of many', 'a\nb\nc\n', 2, ['b', 'c']],
      ['a line without its end yet', 'a\nb', 1, ['b']],
      ['empty lines', 'a\n\n\n', 2, ['', '']],
      ['none when none are asked for', 'a\n', 0, []],
      ['NUL bytes that the instance wrote', 'a\0b\n\0\nc\n', 3, ['a\0b', '\0', 'c']],
      ['whole characters', 'größe\n', 1, ['größe']],
    ])('shows %s', async (_, content, count, lines) => {
      await writeFile(path, content);
      expect(await tailLog(path, count)).toEqual(lines);
    });

    it('reads as many blocks as it takes', async () => {
      const lines = numbered(0, 20_000);
      await writeFile(path, text(lines));
      expect(await tailLog(path, 15_000)).toEqual(lines.slice(-15_000));
    });

    it.skipIf(!holes)('begins behind a hole, with the first whole line', async () => {
      const lines = numbered(0, 20_000);
      await writeFile(path, `x${text(lines)}`);
      punch(3 * BLOCK);
      const shown = await tailLog(path, 20_000);
      expect(shown).toEqual(lines.slice(-shown.length));
      expect(shown.length).toBe(20_000 - (3 * BLOCK) / 16);
    });

    it.skipIf(!holes)('shows nothing when all that is left is part of a line', async () => {
      await writeFile(path, 'x'.repeat(2 * BLOCK + 10));
      punch(2 * BLOCK);
      expect(await tailLog(path, 5)).toEqual([]);
    });
  });

  describe('that is followed', () => {
    /** Follows from now on, on a clock of its own. */
    async function following() {
      const clock = manualClock();
      const abort = new AbortController();
      const lines = followLog(path, clock, abort.signal);
      const first = lines.next();
      // It waits on the clock when it has reached the end.
      while (clock.pending() === 0) await new Promise(setImmediate);
      let pending: Promise<IteratorResult<string>> | null = first;
      return {
        async next(): Promise<string | undefined> {
          const result = pending ?? lines.next();
          pending = null;
          let settled = false;
          const done = result.finally(() => {
            settled = true;
          });
          while (!settled) await clock.advance(100);
          return (await done).value;
        },
        async end() {
          abort.abort();
          await pending;
          await lines.return(undefined);
        },
      };
    }

    it('gives lines as they are written, from now on', async () => {
      await writeFile(path, 'before\n');
      const log = await following();
      await appendFile(path, 'one\ntwo\nthr');
      expect(await log.next()).toBe('one');
      expect(await log.next()).toBe('two');
      await appendFile(path, 'ee\n');
      expect(await log.next()).toBe('three');
      await log.end();
    });

    it('gives a very long line in pieces', async () => {
      await writeFile(path, '');
      const log = await following();
      await appendFile(path, `${'x'.repeat(1024 * 1024 + 5)}\nend\n`);
      expect((await log.next())?.length).toBe(1024 * 1024);
      expect(await log.next()).toBe('xxxxx');
      expect(await log.next()).toBe('end');
      await log.end();
    });

    it.skipIf(!holes)('goes on behind a hole, with the first whole line', async () => {
      await writeFile(path, 'before\n');
      const log = await following();
      await appendFile(path, `begun ${text(numbered(0, 20_000))}`);
      punch(2 * BLOCK);
      const shown: string[] = [];
      while (shown.at(-1) !== '000000000019999') shown.push((await log.next()) ?? '');
      expect(shown).toEqual(numbered(20_000 - shown.length, 20_000));
      expect(shown.length).toBeGreaterThan(11_800);
      await log.end();
    });

    it.skipIf(!holes)('joins nothing across a hole', async () => {
      await writeFile(path, '');
      const log = await following();
      await appendFile(path, 'whole\nhalf of');
      expect(await log.next()).toBe('whole');
      await appendFile(path, `${'x'.repeat(3 * BLOCK)}\nnext\n`);
      punch(2 * BLOCK);
      expect(await log.next()).toBe('next');
      await log.end();
    });
  });

  describe.skipIf(!holes)('beyond its bound', () => {
    it('loses its front, and keeps its offsets and its end', async () => {
      const lines = numbered(0, 65_536);
      await writeFile(path, text(lines));
      const bound = logBound({ maxBytes: 8 * BLOCK, keepBytes: 4 * BLOCK, log: silentLog });
      expect(await bound.apply(path)).toBe(16 * BLOCK);
      const { size, blocks } = await stat(path);
      expect(size).toBe(16 * BLOCK);
      expect(blocks * 512).toBeLessThanOrEqual(5 * BLOCK);
      expect(await tailLog(path, 100)).toEqual(lines.slice(-100));
      // An instance goes on writing through the descriptor it has.
      await appendFile(path, 'after\n');
      expect(await tailLog(path, 1)).toEqual(['after']);
    });

    it('is left alone while it is within', async () => {
      await writeFile(path, text(numbered(0, 4_096)));
      const bound = logBound({ maxBytes: 8 * BLOCK, keepBytes: 4 * BLOCK, log: silentLog });
      await bound.apply(path);
      expect(await tailLog(path, 5_000)).toHaveLength(4_096);
    });

    it('is bounded after one that could not be', async () => {
      await writeFile(path, text(numbered(0, 65_536)));
      const bound = logBound({ maxBytes: BLOCK, keepBytes: 0, log: silentLog });
      await expect(bound.apply(join(folder, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' });
      await bound.apply(path);
      expect((await stat(path)).blocks * 512).toBeLessThanOrEqual(BLOCK);
    });
  });
});
