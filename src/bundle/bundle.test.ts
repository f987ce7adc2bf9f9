import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Header, type HeaderData } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../kernel/fault.ts';
import { linkStaysInside } from './entry.ts';
import { packBundle } from './pack.ts';
import { sourceCommit } from './source-commit.ts';
import { tarEnd, tarPadding } from './tar.ts';
import { removePartialBundles, unpackBundle } from './unpack.ts';

const LIMITS = { maxBytes: 10_000_000, maxFiles: 1_000 };

let root: string;
let source: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'belay-bundle-'));
  source = join(root, 'source');
  mkdirSync(source);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Record<string, string>, directory = source): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

async function roundTrip(destination = join(root, 'unpacked')) {
  const { manifest, stream, skipped } = await packBundle(source, LIMITS);
  await unpackBundle(stream, destination, { ...LIMITS, digest: manifest.digest });
  return { manifest, skipped, destination, files: filesBelow(destination) };
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const thrown = await promise.then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  );
  // Whatever else was thrown has no such code, and fails the assertion that follows.
  return thrown as Fault;
}

describe('a bundle', () => {
  it('comes out as it went in: contents, execute bits and links', async () => {
    const long = `${'deep/'.repeat(60)}${'x'.repeat(120)}.txt`;
    write({
      'server.js': 'serve()',
      'bin/run': '#!/bin/sh',
      [long]: 'long',
      '@odd ü.txt': 'odd',
      empty: '',
    });
    write({ big: 'b'.repeat(300_000) });
    chmodSync(join(source, 'bin/run'), 0o755);
    symlinkSync('../server.js', join(source, 'bin/link'));
    const { manifest, destination, files } = await roundTrip();
    expect(files).toEqual(
      ['@odd ü.txt', 'big', 'bin/link', 'bin/run', long, 'empty', 'server.js'].sort(),
    );
    expect(manifest).toMatchObject({
      files: 7,
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    expect(readFileSync(join(destination, long), 'utf8')).toBe('long');
    expect(readFileSync(join(destination, 'big'), 'utf8')).toBe('b'.repeat(300_000));
    expect(readlinkSync(join(destination, 'bin/link'))).toBe('../server.js');
    expect(lstatSync(join(destination, 'bin/run')).mode & 0o777).toBe(0o555);
    expect(lstatSync(join(destination, 'server.js')).mode & 0o777).toBe(0o444);
  });

  it('is the same bytes for the same content, whatever the times and the order of writing', async () => {
    write({ a: '1', 'd/b': '2' });
    const first = await packBundle(source, LIMITS);
    const bytes = await buffer(first.stream);
    rmSync(source, { recursive: true });
    write({ 'd/b': '2', a: '1' });
    const second = await packBundle(source, LIMITS);
    expect(second.manifest.digest).toBe(first.manifest.digest);
    expect((await buffer(second.stream)).equals(bytes)).toBe(true);
  });

  it('has another digest for another execute bit, path or link target', async () => {
    const digest = async () => (await packBundle(source, LIMITS)).manifest.digest;
    write({ a: '1' });
    const plain = await digest();
    chmodSync(join(source, 'a'), 0o755);
    const executable = await digest();
    symlinkSync('a', join(source, 'l'));
    const linked = await digest();
    expect(new Set([plain, executable, linked]).size).toBe(3);
  });

  it('leaves existing content alone when the same bundle comes again', async () => {
    write({ a: '1' });
    const { destination } = await roundTrip();
    const before = lstatSync(join(destination, 'a')).ino;
    await roundTrip();
    expect(lstatSync(join(destination, 'a')).ino).toBe(before);
    expect(readdirSync(root).sort()).toEqual(['source', 'unpacked', 'unpacked.inventory']);
  });
});

describe('packing', () => {
  it('honours .gitignore at every level, negation, and .belayignore last', async () => {
    write({
      '.gitignore': '*.log\n/build\n',
      '.belayignore': 'docs/\n!keep.log\n',
      'a.log': '',
      'keep.log': '',
      'build/x': '',
      'sub/.gitignore': '!b.log\nsecret\n',
      'sub/b.log': '',
      'sub/secret': '',
      'docs/page.md': '',
      'app.js': '',
      '.git/HEAD': 'ref',
    });
    const { files } = await roundTrip();
    const expected = [
      '.belayignore',
      '.gitignore',
      'app.js',
      'keep.log',
      'sub/.gitignore',
      'sub/b.log',
    ];
    expect(files).toEqual(expected);
  });

  it('honours the .gitignore of the repository above, unless it names the directory itself', async () => {
    write({ '.git/HEAD': '', '.gitignore': '.env\nignored-app/\n' }, root);
    write({ '.env': 'SECRET=1', 'app.js': '' });
    expect((await roundTrip()).files).toEqual(['app.js']);
    source = join(root, 'ignored-app');
    write({ 'app.js': '' });
    expect((await roundTrip(join(root, 'second'))).files).toEqual(['app.js']);
  });

  it('includes node_modules beside a package.json whole, though git ignores it', async () => {
    write({
      '.gitignore': 'node_modules\ndist\n',
      'package.json': '{}',
      'node_modules/left/dist/index.js': '',
      'node_modules/left/.gitignore': 'dist',
      'dist/out.js': '',
      'other/node_modules/x.js': '',
    });
    const { files } = await roundTrip();
    expect(files).toContain('node_modules/left/dist/index.js');
    expect(files).not.toContain('dist/out.js');
    expect(files).not.toContain('other/node_modules/x.js');
  });

  it('refuses a link out of the bundle by its name', async () => {
    write({ a: '' });
    symlinkSync('/etc/hostname', join(source, 'outside'));
    const fault = await faultOf(packBundle(source, LIMITS));
    expect(fault).toMatchObject({ code: 'symlink-escapes', subject: 'outside' });
  });

  it('skips a socket and says so', async () => {
    write({ a: '' });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(source, 's.sock'), resolve));
    const { skipped, files } = await roundTrip();
    await new Promise((resolve) => server.close(resolve));
    expect(skipped).toEqual([{ path: 's.sock', why: 'is a socket' }]);
    expect(files).toEqual(['a']);
  });

  it('names what takes the most room when it is too large', async () => {
    write({ 'video/a': 'x'.repeat(500), 'video/b': 'x'.repeat(500), c: 'x'.repeat(300), d: 'x' });
    const fault = await faultOf(packBundle(source, { maxBytes: 1_000 }));
    expect(fault.code).toBe('bundle-too-large');
    expect(fault.details?.biggest).toEqual([
      { path: 'video/', sizeBytes: 1_000 },
      { path: 'c', sizeBytes: 300 },
      { path: 'd', sizeBytes: 1 },
    ]);
    const single = await faultOf(packBundle(source, { maxBytes: 10_000, maxFileBytes: 400 }));
    expect(single).toMatchObject({
      code: 'bundle-too-large',
      message: expect.stringContaining('video/a'),
    });
  });

  it('refuses an empty directory', async () => {
    expect((await faultOf(packBundle(source, LIMITS))).code).toBe('bundle-empty');
  });

  it.each([
    ['changes', () => write({ a: 'behind' })],
    ['grows', () => appendFileSync(join(source, 'a'), '!')],
    ['is cut', () => truncateSync(join(source, 'a'), 2)],
    ['goes', () => rmSync(join(source, 'a'))],
    [
      'becomes a link',
      () => {
        rmSync(join(source, 'a'));
        symlinkSync('b', join(source, 'a'));
      },
    ],
  ])('notices a file that %s between the digest and the stream', async (_, change) => {
    write({ a: 'before', b: 'before' });
    const { stream, manifest } = await packBundle(source, LIMITS);
    change();
    const out = join(root, 'out');
    const sent = unpackBundle(stream, out, { ...LIMITS, digest: manifest.digest });
    const fault = await faultOf(sent);
    expect(fault).toMatchObject({ code: 'changed-while-packing', subject: 'a', retryable: true });
    expect(readdirSync(root)).toEqual(['source']);
  });

  it('notices a file that is written all the while', async () => {
    write({ log: 'x'.repeat(1_000_000) });
    let writing = true;
    const written = (async () => {
      while (writing) {
        appendFileSync(join(source, 'log'), 'x');
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const packed = packBundle(source, LIMITS).then(({ stream }) => buffer(stream));
    expect((await faultOf(packed)).code).toBe('changed-while-packing');
    writing = false;
    await written;
  });
});

/** An archive with whatever an attacker likes in it. */
function archive(...entries: (HeaderData & { content?: string })[]): Readable {
  const blocks = entries.flatMap(({ content = '', ...fields }) => {
    const header = new Header({ mode: 0o644, ...fields, size: content.length });
    header.encode();
    return [header.block ?? Buffer.alloc(0), Buffer.from(content), tarPadding(content.length)];
  });
  return Readable.from([...blocks, tarEnd]);
}

describe('what is too large for a version', () => {
  it('is refused before it is read: a sparse file of 5 GB', async () => {
    write({ a: '' });
    writeFileSync(join(source, 'film.mp4'), '');
    truncateSync(join(source, 'film.mp4'), 5 * 1024 ** 3);
    const fault = await faultOf(packBundle(source, { maxBytes: 500 * 1024 ** 2 }));
    expect(fault).toMatchObject({ code: 'bundle-too-large' });
    expect(fault.message).toContain('5120.0 MB  film.mp4');
  });

  it('is refused by its head in the stream, before its content has come', async () => {
    const header = new Header({ path: 'film.mp4', mode: 0o644, type: 'File', size: 5 * 1024 ** 3 });
    header.encode();
    const stream = new PassThrough();
    stream.write(header.block);
    const fault = await faultOf(
      unpackBundle(stream, join(root, 'out'), { ...LIMITS, digest: 'sha256:0' }),
    );
    stream.destroy();
    expect(fault.code).toBe('bundle-too-large');
    expect(readdirSync(root)).toEqual(['source']);
  });
});

describe('unpacking', () => {
  const expected = { ...LIMITS, digest: 'sha256:0' };
  const refusal = async (stream: Readable, limits = expected) => {
    const fault = await faultOf(unpackBundle(stream, join(root, 'out'), limits));
    expect(readdirSync(root)).toEqual(['source']);
    return fault.code;
  };

  it.each([
    ['an absolute path', { path: '/tmp/evil', type: 'File' }, 'bundle-malformed'],
    ['a path upwards', { path: 'a/../../evil', type: 'File' }, 'bundle-malformed'],
    ['a device', { path: 'null', type: 'CharacterDevice' }, 'bundle-malformed'],
    ['a hard link', { path: 'l', type: 'Link', linkpath: '/etc/passwd' }, 'bundle-malformed'],
    [
      'a link to an absolute path',
      { path: 'l', type: 'SymbolicLink', linkpath: '/etc' },
      'symlink-escapes',
    ],
    [
      'a link upwards',
      { path: 'a/l', type: 'SymbolicLink', linkpath: '../../x' },
      'symlink-escapes',
    ],
  ] as const)('refuses %s and leaves nothing', async (_name, entry, code) => {
    expect(await refusal(archive(entry))).toBe(code);
  });

  it('refuses to write through a link, and the same path twice', async () => {
    const link = { path: 'd', type: 'SymbolicLink', linkpath: 'e' } as const;
    expect(await refusal(archive(link, { path: 'd/f', type: 'File' }))).toBe('bundle-malformed');
    const file = { path: 'f', type: 'File' } as const;
    expect(await refusal(archive(file, file))).toBe('bundle-malformed');
  });

  it('refuses more files or bytes than allowed', async () => {
    const files = ['a', 'b', 'c'].map((path) => ({ path, type: 'File', content: '123' }) as const);
    expect(await refusal(archive(...files), { ...expected, maxFiles: 2 })).toBe('bundle-too-large');
    expect(await refusal(archive(...files), { ...expected, maxBytes: 8 })).toBe('bundle-too-large');
  });

  it('refuses content that is not what was announced', async () => {
    expect(await refusal(archive({ path: 'a', type: 'File', content: 'x' }))).toBe(
      'digest-mismatch',
    );
    expect(await refusal(Readable.from([Buffer.from('not a tar archive'.repeat(100))]))).toBe(
      'bundle-malformed',
    );
  });

  it('leaves nothing when the sender goes away in the middle', async () => {
    write({ a: 'x'.repeat(200_000) });
    const whole = await buffer((await packBundle(source, LIMITS)).stream);
    const stream = new PassThrough();
    stream.write(whole.subarray(0, 100_000), () => stream.destroy());
    expect(await refusal(stream)).toBe('bundle-interrupted');
  });

  it('takes away what an earlier life left behind', async () => {
    write({ 'v1.partial-0badf00d/a': '', 'v2/a': '' }, root);
    await removePartialBundles(root);
    expect(readdirSync(root).sort()).toEqual(['source', 'v2']);
  });

  it('says that the disk is full, and leaves nothing', async ({ skip }) => {
    const disk = mountSmallDisk();
    if (disk === null) return skip('this user may not mount a small disk');
    try {
      write({ a: 'x'.repeat(3_000_000) });
      const { manifest, stream } = await packBundle(source, LIMITS);
      const limits = { ...LIMITS, digest: manifest.digest };
      const fault = await faultOf(unpackBundle(stream, join(disk, 'out'), limits));
      expect(fault.code).toBe('disk-full');
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    }
  });
});

/** A file system of 1 MB; null where this user may not mount one. */
function mountSmallDisk(): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'belay-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], {
      stdio: 'ignore',
    });
    return directory;
  } catch {
    rmSync(directory, { recursive: true });
    return null;
  }
}

describe('a link stays inside', () => {
  it.each([
    ['a', 'b', true],
    ['d/a', '../b', true],
    ['a', '../b', false],
    ['d/a', '../../b', false],
    ['a', '/b', false],
    ['a', 'd/../b', false],
    ['a', 'd/..', false],
    ['a', '..b/c', true],
    ['a', '.', true],
    ['d/e/a', '../../x/y', true],
  ])('%s -> %s: %s', (path, target, inside) => {
    expect(linkStaysInside(path, target)).toBe(inside);
  });
});

describe('the source commit', () => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      cwd: source,
    })
      .toString()
      .trim();

  it('is HEAD, with a plus when the directory differs, and null without a repository', async () => {
    expect(await sourceCommit(source)).toBeNull();
    write({ a: '1' });
    git('init', '-q');
    expect(await sourceCommit(source)).toBeNull();
    git('add', '.');
    git('commit', '-qm', 'one');
    expect(await sourceCommit(source)).toBe(git('rev-parse', 'HEAD'));
    write({ a: '2' });
    expect(await sourceCommit(source)).toBe(`${git('rev-parse', 'HEAD')}+`);
  });
});
