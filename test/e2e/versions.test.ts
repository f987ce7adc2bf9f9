import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packBundle } from '../../src/bundle/pack.ts';
import type { Pruning, VersionView } from '../../src/model/lifecycle.ts';
import { APPLICATION, type Variant } from './support/app.ts';
import { House, where } from './support/house.ts';
import { until } from './support/until.ts';

/** Versions on a real daemon: made of commits, kept by a lifecycle, checked before they are used. */

const ONE = { min: 1, max: 2, zones: ['a'] };
const DEPLOY = { healthyFor: '0s' };
/** What runs, and the three versions before it. */
const KEPT = 4;

const house = new House();
let someFailed = true;
const directories: string[] = [];

beforeAll(async () => {
  await house.start();
  someFailed = false;
});

afterAll(() => house.close(someFailed));

/** An app that keeps one version beside those that are needed. */
function app(variant: Variant): string {
  const directory = house.app(variant, { capacity: ONE, drain: '100ms', deploy: DEPLOY });
  const file = join(directory, 'belay.config.ts');
  const written = readFileSync(file, 'utf8');
  writeFileSync(file, written.replace('"web":', '"versions": { "keep": 1 },\n  "web":'));
  return directory;
}

function git(directory: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Ada Lovelace', '-c', 'user.email=ada@localhost'];
  return execFileSync('git', [...identity, ...args], { cwd: directory, stdio: 'pipe' })
    .toString()
    .trim();
}

async function belay(...args: string[]): Promise<{ code: number | null; json: unknown }> {
  const { code, stdout, stderr } = await house.belay([...args, '--json']);
  const [last = ''] = stdout.trimEnd().split('\n').slice(-1);
  if (last === '') throw new Error(`nothing was said: ${stderr}`);
  return { code, json: JSON.parse(last) };
}

async function versions(): Promise<VersionView[]> {
  const { application } = where;
  return (await house.client.call('versions', { params: { application } })).versions;
}

const fates = async () => (await versions()).map(({ label, fate }) => `${label} ${fate.state}`);
const version = async (label: string) => {
  const found = (await versions()).find((each) => each.label === label);
  if (!found) throw new Error(`there is no ${label}`);
  return found;
};
const directoryOf = ({ digest }: VersionView) =>
  join(house.home, 'versions', digest.slice('sha256:'.length));
const onDisk = () => readdirSync(join(house.home, 'versions')).sort();

describe('versions', () => {
  test('are made of a commit, with its configuration, its author and its subject', async () => {
    const directory = app({ name: 'committed' });
    directories.push(directory);
    git(directory, 'init', '-q', '-b', 'main');
    git(directory, 'add', '.');
    git(directory, 'commit', '-qm', 'Sell hats');
    writeFileSync(join(directory, 'belay.config.ts'), 'export default {{{');
    writeFileSync(join(directory, 'server.js'), 'process.exit(1)');

    const { code, json } = await belay('deploy', directory, '--commit', 'main');

    expect(code).toBe(0);
    expect(json).toMatchObject({ verdict: 'succeeded', version: 'v1' });
    expect(await version('v1')).toMatchObject({
      commit: git(directory, 'rev-parse', 'main'),
      author: 'Ada Lovelace',
      message: 'Sell hats',
      runningIn: ['production'],
      fate: { state: 'kept', reasons: ['production runs it'] },
    });
    git(directory, 'checkout', '-q', '.');
  });

  test('that nobody needs any more are removed after a deployment, and it is told', async () => {
    for (const name of ['v2', 'v3', 'v4', 'v5', 'v6']) {
      const directory = app({ name });
      directories.push(directory);
      expect((await house.deployed(directory)).state).toBe('succeeded');
    }
    // The configuration of the tests is sent by hand, without what it says of versions.
    const { code } = await belay('up', directories[5] ?? '');
    expect(code).toBe(0);
    const gone = ['v6 kept', 'v5 kept', 'v4 kept', 'v3 kept', 'v2 gone', 'v1 gone'];
    await until('v1 and v2 are gone', fates, (seen) => `${seen}` === `${gone}`);
    expect((await version('v3')).fate.reasons).toEqual(['production can go back to it']);
    expect(onDisk().filter((name) => /^[0-9a-f]+$/.test(name))).toHaveLength(KEPT);
    expect(onDisk()).toHaveLength(2 * KEPT);
    const { events } = await house.client.call('events', { query: {} });
    const removed = events.filter(({ type }) => type === 'versions-removed');
    expect(removed.map(({ message }) => message).join('\n')).toMatch(
      /of numbers’s versions were removed from the disk: .*v1 \(not the newest\)/,
    );
  });

  test('whose files are gone come back only by being sent again', async () => {
    const refused = await belay('rollback', 'v1', '-a', APPLICATION);
    expect(refused.code).toBe(1);
    const commit = (await version('v1')).commit?.slice(0, 9);
    expect(refused.json).toMatchObject({
      error: { code: 'bundle-gone', hint: `send them again with: belay deploy --commit ${commit}` },
    });
    expect((await house.environment()).version).toBe('v6');
    const diff = await belay('diff', 'v1', '-a', APPLICATION);
    expect(diff.json).toMatchObject({ error: { code: 'bundle-gone' } });

    const { code, json } = await belay('deploy', directories[0] ?? '', '--commit', 'main');
    expect(code).toBe(0);
    expect(json).toMatchObject({ version: 'v1' });
  });

  test('are pruned by hand, after a look at what would go', async () => {
    await until('it has settled', fates, (seen) => seen.includes('v3 gone'));
    const pruned = (...flags: string[]) =>
      belay('versions', '--prune', '-a', APPLICATION, ...flags).then(({ json }) => json as Pruning);
    expect(await pruned('--dry-run')).toMatchObject({ dryRun: true, removed: [], freedBytes: 0 });
    const before = onDisk();
    expect(await pruned()).toMatchObject({ removed: [] });
    expect(onDisk()).toEqual(before);
  });

  test('that were damaged on the disk are refused, and mended by sending them again', async () => {
    const damaged = await version('v5');
    const file = join(directoryOf(damaged), 'server.js');
    const content = readFileSync(file, 'utf8');
    chmodSync(file, 0o644);
    writeFileSync(file, content.replace('listen', 'LISTEN'));

    const refused = await belay('rollback', 'v5', '-a', APPLICATION);

    expect(refused.code).toBe(1);
    expect(refused.json).toMatchObject({
      error: {
        code: 'bundle-damaged',
        message: 'the files of v5 are not as they were deployed: server.js was changed',
      },
    });
    expect((await house.environment()).version).toBe('v1');
    expect((await house.environment()).deployment?.state).toBe('succeeded');
    const { code } = await belay('deploy', directories[4] ?? '');
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(content);
    expect((await house.environment()).version).toBe('v5');
  });

  test('that there are not are refused, and nothing changes', async () => {
    const { code, json } = await belay('rollback', 'v99', '-a', APPLICATION);
    expect(code).toBe(64);
    expect(json).toMatchObject({
      error: { code: 'unknown-version', message: 'there is no version v99 of numbers' },
    });
  });

  test('cut off while they are sent leave nothing', async () => {
    const directory = app({ name: 'cut' });
    writeFileSync(join(directory, 'large'), 'x'.repeat(3_000_000));
    const { manifest, stream } = await packBundle(directory, { maxBytes: 10_000_000 });
    const whole = await buffer(stream);
    const before = onDisk();
    const body = new PassThrough();
    body.write(whole.subarray(0, 1_500_000));
    const { digest, files, sizeBytes } = manifest;
    const sent = house.client.call('putBundle', {
      params: { digest },
      query: { files, sizeBytes },
      body,
    });
    const cut = expect(sent).rejects.toThrow();
    await until('some of it is there', onDisk, (names) => names.length > before.length);
    body.destroy(new Error('the sender went away'));
    await cut;
    await until('it is gone again', onDisk, (names) => names.length === before.length);
    expect(onDisk()).toEqual(before);
    expect(existsSync(join(house.home, 'versions', digest.slice(7)))).toBe(false);
  });
});
