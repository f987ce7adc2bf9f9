import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bodyOf,
  found,
  halfWritten,
  is,
  keep,
  keptFiles,
  MB,
  type Scratch,
  SOON,
  scratch,
} from './scratch-store.fixture.ts';

const HEAD = '{"status":200}';

let place: Scratch;
let disk: string;
/** Of 4 MB. */
let isMounted: boolean;

beforeEach(() => {
  place = scratch();
  disk = join(place.directory, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { stdio: 'ignore' });
    isMounted = true;
  } catch {
    isMounted = false;
  }
});
afterEach(async () => {
  await small?.remove();
  if (isMounted) execFileSync('umount', [disk]);
  await place.remove();
});

let small: Scratch | undefined;

describe('a disk without room', () => {
  it('keeps serving what it has, takes nothing, and is tried again', async ({ skip }) => {
    if (!isMounted) return skip('this user may not mount a small disk');
    small = scratch(join(disk, 'cache'));
    const { clock, troubles } = small;
    const store = await small.store(1024 * MB);
    const body = bodyOf(600_000);
    expect(await keep(store, 'fits', body)).toBe(true);
    const other = join(disk, 'other');
    writeFileSync(other, bodyOf(3 * MB));

    const writer = store.create('does not fit', HEAD, null);
    writer?.write(body);
    await expect(writer?.read(0, 1)).rejects.toMatchObject({ code: 'cache-disk-failed' });
    expect(await writer?.finish()).toBe(false);
    writer?.close();
    expect(troubles).toEqual(['full']);
    expect(store.state).toBe('read-only');
    expect(store.create('not tried', HEAD, 10)).toBe(null);
    expect(await found(store, 'fits')).toEqual(is(HEAD, body));
    await expect.poll(() => halfWritten(small?.directory ?? ''), SOON).toEqual([]);

    rmSync(other);
    await clock.advance(60_000);
    expect(await keep(store, 'fits now', body)).toBe(true);
    expect(troubles).toEqual(['full', 'recovered']);
    expect(await found(store, 'fits now')).toEqual(is(HEAD, body));
  });

  it('is left to others before it is full', async ({ skip }) => {
    if (!isMounted) return skip('this user may not mount a small disk');
    small = scratch(join(disk, 'cache'));
    const { clock, directory, troubles } = small;
    const store = await small.store(1024 * MB);
    await clock.advance(1_000);
    let kept = 0;
    while (await keep(store, `key ${kept}`, bodyOf(100_000))) kept += 1;
    // A tenth of it is free.
    expect(kept).toBeGreaterThan(30);
    expect(statfsSync(disk).bavail / statfsSync(disk).blocks).toBeGreaterThan(0.09);
    expect(troubles).toEqual([]);

    const other = join(disk, 'other');
    writeFileSync(other, bodyOf(statfsSync(disk).bavail * 4_096 - 100_000));
    await clock.advance(1_000);
    expect(troubles).toEqual(['full']);
    expect(store.state).toBe('read-only');
    await expect.poll(() => keptFiles(directory).length, SOON).toBeLessThan(kept - 5);
    rmSync(other);
    await clock.advance(1_000);
    expect(troubles).toEqual(['full', 'recovered']);
    expect(await keep(store, 'key', bodyOf(100_000))).toBe(true);
  });

  it('lets what had been written be read to its end', async ({ skip }) => {
    if (!isMounted) return skip('this user may not mount a small disk');
    small = scratch(join(disk, 'cache'));
    const store = await small.store(1024 * MB);
    const body = bodyOf(8 * MB);
    const writer = store.create('key', HEAD, null);
    let position = 0;
    for (; position < 8 * MB; position += 500_000) {
      writer?.write(body.subarray(position, position + 500_000));
      const isThere = await writer?.read(position, 1).then(
        () => true,
        () => false,
      );
      if (!isThere) break;
    }
    expect(position).toBeGreaterThan(2 * MB);
    expect(
      (await writer?.read(1_000_000, 1_000))?.equals(body.subarray(1_000_000, 1_001_000)),
    ).toBe(true);
    expect(await writer?.finish()).toBe(false);
    writer?.close();
    expect(readdirSync(disk)).toEqual(['cache']);
  });
});
