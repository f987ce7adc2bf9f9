import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VersionView } from '../model/lifecycle.ts';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { environmentOf, NOW } from './scripted-views.ts';

const versionOf = (fields: Partial<VersionView> = {}): VersionView => ({
  application: 'shop',
  label: 'v1',
  digest: `sha256:${'1'.repeat(64)}`,
  createdAt: NOW - 3_600_000,
  author: 'ada',
  commit: '1a2b3c4d5e6f',
  message: null,
  files: 12,
  sizeBytes: 1_000_000,
  runningIn: [],
  fate: { state: 'gone', reasons: [] },
  imageBytes: null,
  ...fields,
});

let daemon: ScriptedDaemon;

beforeEach(async () => {
  const runs = { state: 'kept' as const, reasons: ['production runs it'] };
  const goes = { state: 'due' as const, reasons: ['not one of the newest 2'] };
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    versions: {
      versions: [
        versionOf({ label: 'v3', runningIn: ['production'], fate: runs, imageBytes: 4_000_000 }),
        versionOf({ label: 'v2', fate: goes, message: 'Faster' }),
        versionOf(),
      ],
    },
    releases: { releases: [] },
  });
  await daemon.start();
});
afterEach(() => daemon.close());

describe('versions', () => {
  test('says how large each is, whether it is still on the disk, and why', async () => {
    const { code, out } = await belay(daemon, ['versions']);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "VERSION  RUNS IN     MADE     BY   COMMIT     FILES    SIZE  ON DISK                        MESSAGE
      v3       production  1 h ago  ada  1a2b3c4d5     12  5.0 MB  yes: production runs it
      v2                   1 h ago  ada  1a2b3c4d5     12  1.0 MB  goes: not one of the newest 2  Faster
      v1                   1 h ago  ada  1a2b3c4d5     12  1.0 MB  no
      "
    `);
  });

  test.each([['--dry-run'], ['--keep', '3']])(
    'does not take %s without --prune',
    async (...flags) => {
      const { code, err } = await belay(daemon, ['versions', ...flags]);
      expect(code).toBe(64);
      expect(err).toContain(`${flags[0]} is for --prune`);
      expect(daemon.asked).toEqual([]);
    },
  );
});

describe('versions --prune', () => {
  const removed = [
    { application: 'shop', label: 'v1', sizeBytes: 1_000_000, reason: 'not one of the newest 2' },
    { application: 'shop', label: 'v2', sizeBytes: 500, reason: 'not one of the newest 2' },
  ];

  test('tells what it removed, and what room that was', async () => {
    daemon.script.prune = { dryRun: false, removed, freedBytes: 1_000_500 };
    const { code, out } = await belay(daemon, ['versions', '--prune', '--keep', '2']);
    expect(code).toBe(0);
    expect(daemon.asked.at(-1)).toMatchObject({
      params: { application: 'shop' },
      body: { dryRun: false, keep: 2 },
    });
    expect(out).toMatchInlineSnapshot(`
      "VERSION    SIZE  WHY
      v1       1.0 MB  not one of the newest 2
      v2        500 B  not one of the newest 2

      ✓ Removed the files of 2 versions: 1.0 MB freed.
      "
    `);
  });

  test('with --dry-run tells what would go', async () => {
    daemon.script.prune = { dryRun: true, removed, freedBytes: 1_000_500 };
    const { out } = await belay(daemon, ['versions', '--prune', '--dry-run', '--json']);
    expect(daemon.asked.at(-1)?.body).toEqual({ dryRun: true, keep: null });
    expect(JSON.parse(out)).toEqual({
      ...{ application: 'shop', dryRun: true },
      ...{ removed, freedBytes: 1_000_500 },
    });
  });

  test('says when nothing can go', async () => {
    daemon.script.prune = { dryRun: false, removed: [], freedBytes: 0 };
    const { out } = await belay(daemon, ['versions', '--prune']);
    expect(out).toBe('Nothing of shop can go: every version is needed.\n');
  });
});
