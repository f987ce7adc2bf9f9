import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configuration } from '../../test/support/simulated-control.ts';
import { openBundles } from '../bundle/bundles.ts';
import type { BundleStore } from '../bundle/driver.ts';
import { packBundle } from '../bundle/pack.ts';
import { type ManualClock, manualClock } from '../kernel/clock.ts';
import { silentLog } from '../kernel/log.ts';
import type { DiskFloor } from '../model/disk-floor.ts';
import type { DeploymentRequest } from '../model/ticket.ts';
import type { Store } from '../store/driver.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { BundleCare } from './bundle-care.ts';
import { EventFeed } from './event-feed.ts';
import { Housekeeping } from './housekeeping.ts';
import { Records } from './records.ts';

const DAY_MS = 86_400_000;

let root: string;
let clock: ManualClock;
let store: Store;
let records: Records;
let feed: EventFeed;
let bundles: BundleStore;
let housekeeping: Housekeeping;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'belay-housekeeping-'));
  clock = manualClock();
  store = openSqliteStore(':memory:');
  records = new Records(store, clock);
  feed = new EventFeed(store, clock);
  bundles = await openBundles(join(root, 'versions'));
  housekeeping = new Housekeeping({ records, bundles, feed, clock, log: silentLog });
});

afterEach(async () => {
  await housekeeping.close();
  store.close();
  rmSync(root, { recursive: true, force: true });
});

/** Packs a source with this content. */
async function packed(content: string) {
  const source = join(root, 'source');
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'server.js'), content);
  return await packBundle(source, { maxBytes: 10_000_000 });
}

/** A version with its files on the disk, made now. */
async function version(label: string, content = label, application = 'shop'): Promise<string> {
  const { manifest, stream } = await packed(content);
  const { digest, files, sizeBytes } = manifest;
  await bundles.receive(digest, stream, manifest);
  const createdAt = clock.now();
  const made = { author: null, commit: null, message: null };
  records.saveVersion({ application, label, digest, createdAt, files, sizeBytes, ...made });
  return digest;
}

/** An environment that runs a version. */
function runs(label: string, key = 'shop/production'): void {
  const [application = '', name = ''] = key.split('/');
  records.saveRelease({
    ...{ environment: key, number: 1, version: label, configuration, variables: {} },
    ...{ reason: 'deploy', message: null, createdAt: clock.now() },
  });
  records.saveEnvironment({
    ...{ key, application, name, status: 'ready', release: 1 },
    ...{ capacity: configuration.web.capacity, createdAt: clock.now(), terminatedAt: null },
  } as Parameters<Records['saveEnvironment']>[0]);
}

const labelsHere = async (application = 'shop') => {
  const here = new Set((await bundles.list()).map(({ digest }) => digest));
  return records
    .versions(application)
    .filter(({ digest }) => here.has(digest))
    .map(({ label }) => label)
    .sort();
};

const prune = (
  fields: { dryRun?: boolean; keep?: number } = {},
  application: string | null = null,
) => housekeeping.prune(application, { dryRun: false, keep: null, ...fields });

async function fiveVersions(): Promise<void> {
  for (const label of ['v1', 'v2', 'v3', 'v4', 'v5']) {
    await version(label);
    await clock.advance(DAY_MS);
  }
}

describe('housekeeping', () => {
  it('removes what the policy does not keep and nobody needs, and says what and why', async () => {
    await fiveVersions();
    runs('v1');
    records.saveLifecycle('shop', { keep: 2, maxAgeMs: null });
    const pruning = await prune();
    expect(pruning).toEqual({
      dryRun: false,
      removed: ['v2', 'v3'].map((label) => ({
        ...{ application: 'shop', label, sizeBytes: 2, reason: 'not one of the newest 2' },
      })),
      freedBytes: 4,
    });
    expect(await labelsHere()).toEqual(['v1', 'v4', 'v5']);
    expect(
      store.events({ after: 0, limit: 10 }).map(({ type, message }) => [type, message]),
    ).toEqual([
      [
        'versions-removed',
        '4 B of shop’s versions were removed from the disk: v2 (not one of the newest 2), v3 (not one of the newest 2)',
      ],
    ]);
    expect(await prune()).toMatchObject({ removed: [] });
  });

  it('changes nothing when only asked, and goes by the number it is asked with', async () => {
    await fiveVersions();
    expect(await prune({ dryRun: true })).toMatchObject({ removed: [] });
    const asked = await prune({ dryRun: true, keep: 1 });
    expect(asked.removed.map(({ label }) => label).sort()).toEqual(['v1', 'v2', 'v3', 'v4']);
    expect(await labelsHere()).toHaveLength(5);
    expect(store.events({ after: 0, limit: 10 })).toEqual([]);
    await prune({ keep: 1 });
    expect(await labelsHere()).toEqual(['v5']);
  });

  it('keeps to the application it is asked about', async () => {
    await fiveVersions();
    await version('v1', 'a blog', 'blog');
    await clock.advance(DAY_MS);
    await version('v2', 'another blog', 'blog');
    await prune({ keep: 1 }, 'blog');
    expect(await labelsHere('blog')).toEqual(['v2']);
    expect(await labelsHere()).toHaveLength(5);
  });

  it('leaves a bundle that another application shares and needs', async () => {
    await version('v1', 'shared');
    await clock.advance(DAY_MS);
    await version('v2');
    await version('v1', 'shared', 'blog');
    runs('v1', 'blog/production');
    records.saveLifecycle('shop', { keep: 1, maxAgeMs: null });
    await prune();
    expect(await labelsHere()).toEqual(['v1', 'v2']);
  });

  it('leaves what somebody is about to deploy, until it is let go of or an hour has passed', async () => {
    await fiveVersions();
    const [first, second] = records.versions('shop').toReversed();
    housekeeping.noteUse(first?.digest ?? '');
    housekeeping.noteUse(second?.digest ?? '');
    await prune({ keep: 1 });
    expect(await labelsHere()).toEqual(['v1', 'v2', 'v5']);
    housekeeping.endUse(first?.digest ?? '');
    await prune({ keep: 1 });
    expect(await labelsHere()).toEqual(['v2', 'v5']);
    await clock.advance(3_600_000);
    await prune({ keep: 1 });
    expect(await labelsHere()).toEqual(['v5']);
  });

  it('is done after every deployment, now and then, and when the policy changes', async () => {
    await fiveVersions();
    housekeeping.start();
    housekeeping.follow('shop', { keep: 4, maxAgeMs: null });
    await prune({ dryRun: true });
    expect(await labelsHere()).toEqual(['v2', 'v3', 'v4', 'v5']);
    records.saveLifecycle('shop', { keep: 3, maxAgeMs: null });
    const ended = { severity: 'info', type: 'deployment-succeeded', message: '' } as const;
    feed.publish(ended);
    await prune({ dryRun: true });
    expect(await labelsHere()).toEqual(['v3', 'v4', 'v5']);
    records.saveLifecycle('shop', { keep: 20, maxAgeMs: 2 * DAY_MS });
    await clock.advance(3_600_000);
    await prune({ dryRun: true });
    expect(await labelsHere()).toEqual(['v5']);
  });

  it('tells what becomes of each version', async () => {
    await fiveVersions();
    runs('v1');
    records.saveLifecycle('shop', { keep: 2, maxAgeMs: null });
    const [gone] = records.versions('shop').filter(({ label }) => label === 'v2');
    await bundles.remove(gone?.digest ?? '');
    const shown = records.versions('shop').map((each) => ({ ...each, runningIn: [] }));
    const views = await housekeeping.versions('shop', shown);
    expect(views.map(({ label, fate }) => `${label} ${fate.state} ${fate.reasons}`)).toEqual([
      'v5 kept one of the newest 2',
      'v4 kept one of the newest 2',
      'v3 due not one of the newest 2',
      'v2 gone ',
      'v1 kept production runs it',
    ]);
  });
});

describe('a bundle that a deployment would use', () => {
  const requests: DeploymentRequest[] = [
    { kind: 'restart' },
    { kind: 'env', set: { A: '1' }, unset: [] },
    { kind: 'rollback', to: 'v1' },
    { kind: 'rollback', to: 1 },
    { kind: 'rollback', to: '1' },
  ];

  const flaw = (request: DeploymentRequest) =>
    new BundleCare({ records, bundles, housekeeping, diskFloor: null }).flawOf(
      'shop/production',
      request,
    );
  const deployOf = (digest: string): DeploymentRequest => ({
    ...{ kind: 'deploy', configuration, unchanged: 'deploy' },
    version: { digest, files: 1, sizeBytes: 1, author: null, commit: null },
  });

  it('is whole, damaged or gone, whatever asks for it', async () => {
    const digest = await version('v1');
    runs('v1');
    for (const request of [...requests, deployOf(digest)]) expect(await flaw(request)).toBeNull();
    const file = join(bundles.directory(digest), 'server.js');
    rmSync(file);
    for (const request of [...requests, deployOf(digest)]) {
      expect(await flaw(request)).toMatchObject({
        code: 'bundle-damaged',
        message: 'the files of v1 are not as they were deployed: server.js is missing',
      });
    }
    await bundles.remove(digest);
    for (const request of [...requests, deployOf(digest)]) {
      expect(await flaw(request)).toMatchObject({ code: 'bundle-gone', subject: 'v1' });
    }
  });

  it('was never sent', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(await flaw(deployOf(digest))).toMatchObject({ code: 'unknown-bundle' });
  });

  it('is none where there is nothing to go back to, which is refused elsewhere', async () => {
    await version('v1');
    runs('v1');
    expect(await flaw({ kind: 'rollback', to: null })).toBeNull();
    expect(await flaw({ kind: 'rollback', to: 'v7' })).toBeNull();
    expect(await flaw({ kind: 'rollback', to: 7 })).toBeNull();
  });
});

describe('the room on the disk', () => {
  const care = (diskFloor: DiskFloor | null) =>
    new BundleCare({ records, bundles, housekeeping, diskFloor });
  const everything: DiskFloor = { unit: 'percent', amount: 99 };
  const nothing: DiskFloor = { unit: 'bytes', amount: 0 };

  it('is asked for before anything is sent, and says what to do', async () => {
    const { manifest } = await packed('new');
    const refused = care(everything).has(manifest.digest, manifest);
    await expect(refused).rejects.toMatchObject({
      code: 'disk-floor',
      message: expect.stringMatching(
        /^this needs 4\.1 kB, and .* are free on the disk, .* of which stay free$/,
      ),
      hint: expect.stringContaining('belay versions --prune'),
      details: { neededBytes: 4_099 },
    });
    expect(await care(nothing).has(manifest.digest, manifest)).toBe(false);
    // Whoever does not say how large it is, is asked when it comes.
    expect(await care(everything).has(manifest.digest, null)).toBe(false);
  });

  it('is asked for before anything is read', async () => {
    const { manifest } = await packed('new');
    const unread = new Readable({ read: () => expect.unreachable() });
    const refused = care(everything).receive(manifest.digest, unread, manifest);
    await expect(refused).rejects.toMatchObject({ code: 'disk-floor' });
    unread.destroy();
    expect(readdirSync(join(root, 'versions'))).toEqual([]);
  });

  it('does not matter to what is there already', async () => {
    const digest = await version('v1');
    expect(await care(everything).has(digest, { files: 1, sizeBytes: 2 })).toBe(true);
  });

  it('is that of a small disk, in truth', async ({ skip }) => {
    const disk = join(root, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return skip('this user may not mount a small disk');
    }
    try {
      bundles = await openBundles(disk);
      const { manifest, stream } = await packed('x'.repeat(1_990_000));
      const refused = care(null).receive(manifest.digest, stream, manifest);
      await expect(refused).rejects.toMatchObject({ code: 'disk-floor' });
      stream.destroy();
      expect(readdirSync(disk)).toEqual([]);
      const small = await packed('x'.repeat(1_000_000));
      await care(null).receive(small.manifest.digest, small.stream, small.manifest);
      expect(await bundles.has(small.manifest.digest)).toBe(true);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
