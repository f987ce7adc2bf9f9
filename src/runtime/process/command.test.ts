import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expand, resolveCommand } from './command.ts';

const braced = (name: string, rest = ''): string => `\${${name}}${rest}`;

describe('a word of a command', () => {
  const variables = { PORT: '20000', EMPTY: '', NESTED: '$PORT', _x1: 'y' };

  it.each([
    ['--port=$PORT', '--port=20000'],
    ['$PORT$PORT', '2000020000'],
    [braced('PORT', 's'), '20000s'],
    ['$EMPTY', ''],
    ['$_x1-', 'y-'],
    // What a variable holds is not expanded again.
    ['$NESTED', '$PORT'],
    ['5$', '5$'],
    ['$5', '$5'],
    [braced(''), braced('')],
    ['a b; rm -rf $PORT', 'a b; rm -rf 20000'],
  ])('%s becomes %s', (word, expanded) => {
    expect(expand(word, variables)).toBe(expanded);
  });

  it.each(['$UNSET', braced('UNSET'), '$PORTS'])(
    'is refused when it names what is not set: %s',
    (word) => {
      expect(() => expand(word, variables)).toThrow(
        expect.objectContaining({ code: 'bad-command', hint: expect.stringContaining('env set') }),
      );
    },
  );

  it('does not find what every object has', () => {
    expect(() => expand('$constructor', variables)).toThrow(
      expect.objectContaining({ code: 'bad-command' }),
    );
  });
});

describe('a command', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'belay-command-'));
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin', 'serve'), '#!/bin/sh\n');
    await chmod(join(directory, 'bin', 'serve'), 0o755);
    await writeFile(join(directory, 'bin', 'notes'), 'text\n');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const resolved = (command: string[], PATH = '') =>
    resolveCommand(command, { PATH, NAME: 'serve' }, directory);

  it('finds a program of the version by its path', async () => {
    const path = join(directory, 'bin', 'serve');
    expect(await resolved(['./bin/serve', '--fast'])).toEqual([path, '--fast']);
    expect(await resolved(['bin/$NAME'])).toEqual([path]);
    expect(await resolved([path])).toEqual([path]);
  });

  it('finds a program on the path, also relative to the version', async () => {
    const path = join(directory, 'bin', 'serve');
    expect(await resolved(['serve'], `/nowhere:${join(directory, 'bin')}`)).toEqual([path]);
    expect(await resolved(['serve'], 'bin')).toEqual([path]);
  });

  it.each([
    ['not-executable', ['./bin/notes'], ''],
    ['not-executable', ['notes'], 'bin'],
    ['command-not-found', ['./bin/absent'], ''],
    ['command-not-found', ['absent'], 'bin'],
    // A directory is no program.
    ['command-not-found', ['./bin'], ''],
    ['bad-command', [], 'bin'],
    ['bad-command', [' '], 'bin'],
    ['bad-command', ['serve', 'a\0b'], 'bin'],
  ])('is refused with %s: %j', async (code, command, path) => {
    await expect(resolved(command, path)).rejects.toMatchObject({ code });
  });

  it('is refused when the version is gone', async () => {
    const gone = join(directory, 'gone');
    await expect(resolveCommand(['serve'], { PATH: '/bin' }, gone)).rejects.toMatchObject({
      code: 'bad-command',
      hint: 'deploy the version again',
    });
  });
});
