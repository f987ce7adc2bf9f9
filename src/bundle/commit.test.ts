import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fault } from '../kernel/fault.ts';
import { checkOut } from './checkout.ts';
import { type Commit, findCommit, refNames } from './commit.ts';
import { rulesForTracked } from './ignore-rules.ts';
import { packBundle } from './pack.ts';

const LIMITS = { maxBytes: 10_000_000 };

let root: string;
let repository: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'belay-commit-test-'));
  repository = join(root, 'my-shop');
  mkdirSync(repository);
  vi.stubEnv('TMPDIR', root);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=Ada Lovelace', '-c', 'user.email=ada@localhost'];
  return execFileSync('git', [...identity, ...args], { cwd: repository, stdio: 'pipe' })
    .toString()
    .trim();
}

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), content);
  }
}

function committed(files: Record<string, string>, subject = 'Sell hats'): string {
  write(files);
  if (!existsSync(join(repository, '.git'))) git('init', '-q', '-b', 'main');
  git('add', '-f', '.');
  git('commit', '-qm', `${subject}\n\nAnd nothing else.`);
  return git('rev-parse', 'HEAD');
}

async function found(ref: string, directory = repository): Promise<Commit> {
  const commit = await findCommit(directory, ref);
  if (!commit) throw new Error(`${ref} was not found`);
  return commit;
}

/** The paths and the digest of what would be packed from a commit, and what is left out. */
async function packed(ref: string, directory = repository) {
  await using checkout = await checkOut(directory, await found(ref, directory), LIMITS);
  const bundle = await packBundle(checkout.directory, LIMITS, rulesForTracked);
  bundle.stream.destroy();
  const files = bundle.entries.map(({ path }) => path).sort();
  return { files, digest: bundle.manifest.digest, skipped: checkout.skipped };
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const thrown = await promise.then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  );
  return thrown as Fault;
}

const checkouts = () => readdirSync(root).filter((name) => name !== 'my-shop');

describe('a commit', () => {
  it('is found by branch, tag and part of its id, with its author and subject', async () => {
    const id = committed({ a: '1' }, 'Sell hats, and caps');
    git('tag', 'v1.0');
    for (const ref of ['HEAD', 'main', 'v1.0', id.slice(0, 8), id]) {
      const commit = await found(ref);
      expect(commit).toMatchObject({
        id,
        author: 'Ada Lovelace',
        subject: 'Sell hats, and caps',
      });
    }
    expect(await refNames(repository)).toEqual(['main', 'v1.0']);
  });

  it('is not what means nothing, looks like an option, or is a file', async () => {
    committed({ a: '1' });
    for (const ref of ['mian', '--all', 'HEAD:a', '']) {
      expect(await findCommit(repository, ref)).toBeNull();
    }
  });

  it('is packed as it is, whatever the directory holds now', async () => {
    const id = committed({ 'server.js': 'serve()', 'lib/hats.js': 'hats' });
    const before = await packed(id);
    write({ 'server.js': 'broken(', 'new.js': '', 'lib/hats.js': 'caps' });
    git('add', '.');
    expect(await packed('HEAD')).toEqual(before);
    expect(before.files).toEqual(['lib/hats.js', 'server.js']);
  });

  it('is the same version as the directory it was made from', async () => {
    write({ 'server.js': 'serve()', 'bin/run': '#!/bin/sh', big: 'x'.repeat(300_000) });
    chmodSync(join(repository, 'bin/run'), 0o755);
    symlinkSync('../server.js', join(repository, 'bin/link'));
    committed({});
    const ofDirectory = await packBundle(repository, LIMITS);
    ofDirectory.stream.destroy();
    expect((await packed('HEAD')).digest).toBe(ofDirectory.manifest.digest);
  });

  it('keeps execute bits, links and bytes as they are', async () => {
    write({ crlf: 'a\r\nb\r\n', '.gitattributes': '* text=auto eol=lf\nsecret export-ignore\n' });
    write({ run: '#!/bin/sh', secret: 's' });
    chmodSync(join(repository, 'run'), 0o755);
    symlinkSync('run', join(repository, 'link'));
    committed({ 'ü und ein\nUmbruch': 'odd' });
    await using checkout = await checkOut(repository, await found('HEAD'), LIMITS);
    expect(basename(checkout.directory)).toBe('my-shop');
    expect(statSync(join(checkout.directory, 'run')).mode & 0o100).toBe(0o100);
    expect(readlinkSync(join(checkout.directory, 'link'))).toBe('run');
    expect(readFileSync(join(checkout.directory, 'ü und ein\nUmbruch'), 'utf8')).toBe('odd');
    expect(existsSync(join(checkout.directory, 'secret'))).toBe(true);
  });

  it('has what was committed though git ignores it, and not what .belayignore names', async () => {
    committed({
      '.gitignore': '*.log\n',
      '.belayignore': 'docs/\n/belay.config.ts\n',
      'kept.log': '',
      'docs/page.md': '',
      'lib/.belayignore': 'drafts\n',
      'lib/drafts/a': '',
      'lib/a': '',
      'belay.config.ts': 'export default {}',
    });
    await using checkout = await checkOut(repository, await found('HEAD'), LIMITS);
    expect(existsSync(join(checkout.directory, 'belay.config.ts'))).toBe(true);
    expect(existsSync(join(checkout.directory, 'docs'))).toBe(false);
    const expected = ['.belayignore', '.gitignore', 'kept.log', 'lib/.belayignore', 'lib/a'];
    expect((await packed('HEAD')).files).toEqual(expected);
  });

  it('is packed from the directory within it that is named', async () => {
    committed({ 'apps/web/server.js': 'web', 'apps/api/server.js': 'api', root: '' });
    expect((await packed('HEAD', join(repository, 'apps/web'))).files).toEqual(['server.js']);
    const later = committed({ 'apps/late/a': '' });
    mkdirSync(join(repository, 'apps/late'), { recursive: true });
    expect((await packed(later, join(repository, 'apps/late'))).files).toEqual(['a']);
    const fault = await faultOf(findCommit(join(repository, 'apps/late'), 'HEAD~1'));
    expect(fault).toMatchObject({ code: 'not-in-commit', subject: 'apps/late/' });
  });

  it('is packed from a bare repository, and from a hook of another one', async () => {
    const id = committed({ 'server.js': 'serve()' });
    const bare = join(root, 'hats.git');
    execFileSync('git', ['clone', '-q', '--bare', repository, bare], { stdio: 'pipe' });
    vi.stubEnv('GIT_DIR', join(root, 'elsewhere'));
    vi.stubEnv('GIT_INDEX_FILE', join(root, 'index'));
    expect((await found('main', bare)).id).toBe(id);
    await using checkout = await checkOut(bare, await found('main', bare), LIMITS);
    expect(basename(checkout.directory)).toBe('hats');
    expect(readdirSync(checkout.directory)).toEqual(['server.js']);
    vi.unstubAllEnvs();
    vi.stubEnv('TMPDIR', root);
  });

  it('is packed without submodules and what Git LFS keeps, and says so', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 9\n`;
    const id = committed({ 'film.mp4': pointer, 'a.js': '' });
    git('update-index', '--add', '--cacheinfo', `160000,${id},vendor/theme`);
    git('commit', '-qm', 'Use a theme');
    const { files, skipped } = await packed('HEAD');
    expect(files).toEqual(['a.js']);
    expect(skipped).toEqual([
      { path: 'vendor/theme', why: 'is a submodule, another repository' },
      { path: 'film.mp4', why: 'is kept by Git LFS, and the commit only points to it' },
    ]);
  });

  it('is refused for its size before anything of it is read, and leaves nothing', async () => {
    committed({ 'film.mp4': 'x'.repeat(2_000), a: '' });
    const fault = await faultOf(checkOut(repository, await found('HEAD'), { maxBytes: 1_000 }));
    expect(fault.code).toBe('bundle-too-large');
    expect(fault.message).toContain('film.mp4');
    expect(checkouts()).toEqual([]);
  });

  it('is refused with a link that leads out of it, and leaves nothing', async () => {
    mkdirSync(repository, { recursive: true });
    symlinkSync('../../etc', join(repository, 'outside'));
    committed({ a: '' });
    const fault = await faultOf(checkOut(repository, await found('HEAD'), LIMITS));
    expect(fault).toMatchObject({ code: 'symlink-escapes', subject: 'outside' });
    expect(checkouts()).toEqual([]);
  });

  it('says that an object is not there', async () => {
    const id = committed({ a: 'only here' });
    const blob = git('rev-parse', `${id}:a`);
    rmSync(join(repository, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    const fault = await faultOf(packed('HEAD'));
    expect(fault.code).toBe('git-failed');
  });
});

describe('without', () => {
  it('a repository, says so', async () => {
    vi.stubEnv('GIT_CEILING_DIRECTORIES', root);
    expect((await faultOf(findCommit(repository, 'HEAD'))).code).toBe('no-repository');
  });

  it('git, says so', async () => {
    committed({ a: '' });
    vi.stubEnv('PATH', root);
    expect((await faultOf(findCommit(repository, 'HEAD'))).code).toBe('git-missing');
  });
});
