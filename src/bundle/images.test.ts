import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageKey, ImageStore } from './driver.ts';
import { openImages } from './images.ts';

const HEX = 'ab'.repeat(32);
const make: ImageKey = { digest: `sha256:${HEX}`, command: ['make'], variables: {} };

let versions: string;
let images: ImageStore;

beforeEach(async () => {
  versions = await mkdtemp(join(tmpdir(), 'belay-images-'));
  images = openImages(versions);
  const bundle = join(versions, HEX);
  await mkdir(join(bundle, 'bin'), { recursive: true });
  await writeFile(join(bundle, 'bin/run'), '#!/bin/sh\n');
  await writeFile(join(bundle, 'page.html'), 'sources');
  await chmod(join(bundle, 'bin/run'), 0o555);
  await chmod(join(bundle, 'page.html'), 0o444);
  await symlink('bin/run', join(bundle, 'start'));
});

afterEach(() => rm(versions, { recursive: true }));

describe('a build', () => {
  it('works in a writable copy that shares nothing with the bundle', async () => {
    const copy = await images.begin(make, 'build-1');
    expect((await stat(join(copy, 'bin/run'))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(copy, 'start'))).toBe('bin/run');
    await writeFile(join(copy, 'page.html'), 'minified');
    expect(await readFile(join(versions, HEX, 'page.html'), 'utf8')).toBe('sources');
    expect(images.isThere(make)).toBe(false);
  });

  it('becomes the image whole and read-only', async () => {
    const copy = await images.begin(make, 'build-1');
    await writeFile(join(copy, 'page.html'), 'minified');
    await images.keep(make, 'build-1');
    expect(images.isThere(make)).toBe(true);
    const page = join(images.directory(make), 'page.html');
    expect(await readFile(page, 'utf8')).toBe('minified');
    expect((await stat(page)).mode & 0o222).toBe(0);
    expect((await stat(join(images.directory(make), 'bin/run'))).mode & 0o777).toBe(0o555);
    expect((await lstat(join(images.directory(make), 'start'))).isSymbolicLink()).toBe(true);
    expect((await readdir(versions)).sort()).toEqual([
      HEX,
      images.directory(make).slice(versions.length + 1),
    ]);
  });

  it('that comes second leaves the image as it is', async () => {
    await images.begin(make, 'build-1');
    const second = await images.begin(make, 'build-2');
    await writeFile(join(second, 'page.html'), 'later');
    await images.keep(make, 'build-1');
    await images.keep(make, 'build-2');
    expect(await readFile(join(images.directory(make), 'page.html'), 'utf8')).toBe('sources');
    expect(await readdir(versions)).toHaveLength(2);
  });

  it('that is begun again begins anew', async () => {
    const copy = await images.begin(make, 'build-1');
    await writeFile(join(copy, 'half'), '');
    expect(await readdir(await images.begin(make, 'build-1'))).not.toContain('half');
  });

  it('leaves nothing when it is discarded, and what no run owns is cleaned away', async () => {
    await images.begin(make, 'build-1');
    await images.begin(make, 'build-2');
    await images.begin(make, 'build-3');
    await images.discard(make, 'build-1');
    await images.clean(new Set(['build-2']));
    const left = (await readdir(versions)).filter((name) => name !== HEX);
    expect(left).toEqual([expect.stringMatching(/\.making-build-2$/)]);
  });
});

describe('an image', () => {
  it('is another for another bundle, command or variable, and the same for the same', () => {
    const others: ImageKey[] = [
      { ...make, digest: `sha256:${'cd'.repeat(32)}` },
      { ...make, command: ['make', 'all'] },
      { ...make, command: ['make all'] },
      { ...make, variables: { A: '1' } },
    ];
    expect(new Set([make, ...others].map(images.directory)).size).toBe(5);
    const [ab, ba] = [
      { A: '1', B: '2' },
      { B: '2', A: '1' },
    ].map((variables) => images.directory({ ...make, variables }));
    expect(ab).toBe(ba);
  });
});
