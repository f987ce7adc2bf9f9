import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBundles } from './bundles.ts';
import type { BundleStore } from './driver.ts';
import { inventoryPath } from './inventory.ts';
import { packBundle } from './pack.ts';

let root: string;
let source: string;
let bundles: BundleStore;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'belay-bundles-'));
  source = join(root, 'source');
  mkdirSync(source);
  bundles = await openBundles(join(root, 'versions'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), content);
  }
}

/** Sends what the source holds; returns its digest. */
async function sent(): Promise<string> {
  const { manifest, stream } = await packBundle(source, { maxBytes: 10_000_000 });
  await bundles.receive(manifest.digest, stream, manifest);
  return manifest.digest;
}

/** A bundle with a program, a link and a directory in it, and where it lies. */
async function stored(): Promise<{ digest: string; at: (path: string) => string }> {
  write({ 'server.js': 'serve()', 'lib/hats.js': 'hats', 'lib/deep/caps.js': 'caps' });
  write({ run: '#!/bin/sh' });
  chmodSync(join(source, 'run'), 0o755);
  symlinkSync('server.js', join(source, 'link'));
  const digest = await sent();
  return { digest, at: (path) => join(bundles.directory(digest), path) };
}

const elsewhere = () => {
  const path = join(root, 'elsewhere');
  mkdirSync(join(path, 'deep'), { recursive: true });
  writeFileSync(join(path, 'hats.js'), 'hats');
  writeFileSync(join(path, 'deep/caps.js'), 'caps');
  return path;
};

type Harm = (at: (path: string) => string) => void;

const harms: [string, Harm, { path: string; why: string }[]][] = [
  [
    'changed, with its times set back',
    (at) => {
      const { atime, mtime } = statSync(at('server.js'));
      chmodSync(at('server.js'), 0o644);
      writeFileSync(at('server.js'), 'SERVE()');
      chmodSync(at('server.js'), 0o444);
      utimesSync(at('server.js'), atime, mtime);
    },
    [{ path: 'server.js', why: 'was changed' }],
  ],
  [
    'cut short',
    (at) => truncateSync(at('lib/hats.js'), 1),
    [{ path: 'lib/hats.js', why: 'has 1 bytes instead of 4' }],
  ],
  ['missing', (at) => unlinkSync(at('server.js')), [{ path: 'server.js', why: 'is missing' }]],
  [
    'no longer a program',
    (at) => chmodSync(at('run'), 0o444),
    [{ path: 'run', why: 'has another execute bit' }],
  ],
  [
    'a directory now',
    (at) => {
      unlinkSync(at('server.js'));
      mkdirSync(at('server.js/x'), { recursive: true });
    },
    [{ path: 'server.js', why: 'is no longer a file' }],
  ],
  [
    'a link that points elsewhere',
    (at) => {
      unlinkSync(at('link'));
      symlinkSync('run', at('link'));
    },
    [{ path: 'link', why: 'points elsewhere' }],
  ],
  [
    'in a directory that is a link now, to the same content',
    (at) => {
      rmSync(at('lib'), { recursive: true });
      symlinkSync(elsewhere(), at('lib'));
    },
    [
      { path: 'lib/deep/caps.js', why: 'is missing' },
      { path: 'lib/hats.js', why: 'is missing' },
    ],
  ],
];

describe('a bundle on the disk', () => {
  it('is whole after it was sent, and gone before', async () => {
    const { digest } = await stored();
    expect(await bundles.inspect(digest)).toEqual({ state: 'whole' });
    const other = `sha256:${'0'.repeat(64)}`;
    expect(await bundles.inspect(other)).toEqual({ state: 'gone' });
  });

  it.each(harms)(
    'is found damaged when a file is %s, and mended when it is sent again',
    async (...[, harm, damage]) => {
      const { digest, at } = await stored();
      const directory = lstatSync(at('.')).ino;
      harm(at);
      expect(await bundles.has(digest)).toBe(false);
      const condition = await bundles.inspect(digest);
      if (condition.state !== 'damaged') throw new Error(`it is ${condition.state}`);
      const sorted = condition.damage.sort((a, b) => (a.path < b.path ? -1 : 1));
      expect(sorted).toEqual(damage);

      await sent();

      expect(await bundles.inspect(digest)).toEqual({ state: 'whole' });
      expect(readFileSync(at('server.js'), 'utf8')).toBe('serve()');
      expect(readFileSync(at('lib/hats.js'), 'utf8')).toBe('hats');
      expect(lstatSync(at('lib')).isDirectory()).toBe(true);
      // Instances run in this directory: it is mended, not replaced.
      expect(lstatSync(at('.')).ino).toBe(directory);
      expect(
        readdirSync(join(root, 'versions')).filter((name) => name.includes('partial')),
      ).toEqual([]);
    },
  );

  it('stays whole with a file besides, or when it was only touched', async () => {
    const { digest, at } = await stored();
    writeFileSync(at('cache.db'), 'an app of root’s wrote this');
    utimesSync(at('server.js'), 1, 1);
    linkSync(at('run'), join(root, 'another-name'));
    expect(await bundles.inspect(digest)).toEqual({ state: 'whole' });
    await sent();
    expect(existsSync(at('cache.db'))).toBe(true);
  });

  it.each([
    ['missing', (path: string) => rmSync(path)],
    ['not readable as one', (path: string) => writeFileSync(path, '{"entries":')],
    ['that of another bundle', (path: string) => writeFileSync(path, '{"entries":[],"seen":[]}')],
  ])('is read whole when its inventory is %s', async (_, harm) => {
    const { digest, at } = await stored();
    const inventory = inventoryPath(bundles.directory(digest));
    harm(inventory);
    expect(await bundles.inspect(digest)).toEqual({ state: 'whole' });
    expect(existsSync(inventory)).toBe(true);
    harm(inventory);
    chmodSync(at('server.js'), 0o644);
    appendFileSync(at('server.js'), ';');
    expect((await bundles.inspect(digest)).state).toBe('damaged');
    await sent();
    expect(await bundles.inspect(digest)).toEqual({ state: 'whole' });
  });

  it('tells its files without reading them', async () => {
    const { digest, at } = await stored();
    rmSync(at('.'), { recursive: true });
    const files = await bundles.files(digest);
    expect(files.map(({ path }) => path)).toEqual([
      ...['lib/deep/caps.js', 'lib/hats.js', 'link', 'run', 'server.js'],
    ]);
  });
});

describe('removing a bundle', () => {
  it('takes its images and its inventory too, and no other bundle', async () => {
    const { digest } = await stored();
    const kept = await (async () => {
      write({ 'server.js': 'other' });
      return await sent();
    })();
    const image = `${bundles.directory(digest)}.built-0123456789abcdef`;
    mkdirSync(image);
    writeFileSync(join(image, 'out.js'), 'x'.repeat(1_000));
    const sizes = async () =>
      new Map((await bundles.list()).map((each) => [each.digest, each.imageBytes]));
    expect((await sizes()).get(digest)).toBeNull();
    await bundles.measureImages();
    expect(await sizes()).toEqual(new Map([[digest, 1_000]].concat([[kept, 0]]) as never));

    await bundles.remove(digest);

    expect((await bundles.list()).map((each) => each.digest)).toEqual([kept]);
    const names = readdirSync(join(root, 'versions')).map((name) => name.slice(0, 64));
    expect(new Set(names)).toEqual(new Set([kept.slice('sha256:'.length)]));
    await bundles.remove(digest);
  });

  it('may be followed by the same bundle, sent again', async () => {
    const { digest } = await stored();
    await bundles.remove(digest);
    expect(await bundles.has(digest)).toBe(false);
    await sent();
    expect(await bundles.has(digest)).toBe(true);
  });
});

describe('receiving', () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const untouched = () =>
    Readable.from(
      (function* () {
        yield* [] as Buffer[];
        throw new Error('it was read');
      })(),
    );

  it('refuses what is too large before it is read', async () => {
    const GB = 1024 ** 3;
    const refused = bundles.receive(digest, untouched(), { files: 1, sizeBytes: 5 * GB });
    await expect(refused).rejects.toMatchObject({ code: 'bundle-too-large' });
    expect(readdirSync(join(root, 'versions'))).toEqual([]);
  });

  it('is done once when the same comes twice at once', async () => {
    write({ 'server.js': 'serve()' });
    await Promise.all([sent(), sent(), sent()]);
    const [only, ...rest] = await bundles.list();
    expect(rest).toEqual([]);
    expect(await bundles.has(only?.digest ?? '')).toBe(true);
  });
});
