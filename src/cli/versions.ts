import type { VersionFate, VersionView } from '../model/lifecycle.ts';
import type { ReleaseView } from '../model/view.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { badOption, countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatAgo, formatBytes, formatCount } from './quantity.ts';
import { type Column, renderTable } from './table.ts';
import { pruneVersions } from './versions-prune.ts';
import { chooseEnvironment } from './where.ts';

const SHORT_COMMIT = 9;

const COLUMNS: readonly Column[] = [
  { title: 'VERSION' },
  { title: 'RUNS IN' },
  { title: 'RELEASES' },
  { title: 'MADE' },
  { title: 'BY' },
  { title: 'COMMIT' },
  { title: 'FILES', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'ON DISK' },
  { title: 'MESSAGE' },
];

interface VersionsOptions extends EnvironmentOptions {
  prune?: boolean;
  dryRun?: boolean;
  keep?: number;
}

export const versionsCommand = command<VersionsOptions>({
  name: 'versions',
  summary: 'versions of an application, newest first',
  description:
    'Lists the versions of an application, newest first, the releases of an environment that ran them (what belay rollback can go back to), and whether their files are still on the disk, and why. With --prune, removes the files that are not needed, which happens after every deployment too.',
  options: [
    ...environmentOptions,
    { flags: '--prune', description: 'remove the files of versions that nobody needs, now' },
    {
      flags: '--keep <count>',
      description: 'with --prune: so many of the newest stay, whatever the configuration says',
      parse: countOption('--keep', 1),
    },
    { flags: '--dry-run', description: 'with --prune: only show what would be removed' },
  ],
  examples: [
    ['belay versions', 'what there is to go back to'],
    ['belay versions --prune --keep 5', 'make room on the disk'],
  ],
  async run(context, options) {
    refuseWithoutPrune(options);
    const where = await chooseEnvironment(context, options);
    const { application } = where;
    if (options.prune) {
      const { dryRun = false, keep = null } = options;
      return await pruneVersions(context, application, { dryRun, keep });
    }
    const client = context.client();
    const { versions } = await client.call('versions', { params: { application } });
    const { releases } = await client.call('releases', { params: where });
    answer(context, { versions, releases }, () =>
      versions.length === 0
        ? [`${application} has no versions yet.`]
        : renderTable(COLUMNS, rowsOf(context, versions, releases), context.stdout.paint),
    );
    return exitCodes.ok;
  },
});

function refuseWithoutPrune({ prune, dryRun, keep }: VersionsOptions): void {
  if (prune) return;
  const flag = dryRun ? '--dry-run' : keep === undefined ? null : '--keep';
  if (flag) throw badOption(flag, 'is for --prune', `write: belay versions --prune ${flag}`);
}

function rowsOf(
  context: Context,
  versions: readonly VersionView[],
  releases: readonly ReleaseView[],
): string[][] {
  return versions.map((version) => [
    version.label,
    version.runningIn.join(', '),
    releases
      .filter((release) => release.version === version.label)
      .map((release) => (release.current ? `${release.number} (current)` : `${release.number}`))
      .join(', '),
    formatAgo(version.createdAt, context.clock.now()),
    version.author ?? '',
    shortCommit(version.commit),
    formatCount(version.files),
    formatBytes(version.sizeBytes + (version.imageBytes ?? 0)),
    fateText(version.fate),
    version.message ?? '',
  ]);
}

function fateText({ state, reasons }: VersionFate): string {
  if (state === 'gone') return 'no';
  return `${state === 'kept' ? 'yes' : 'goes'}: ${reasons.join(', ')}`;
}

/** A `+` behind a commit says that the working tree differed from it. */
function shortCommit(commit: string | null): string {
  if (commit === null) return '';
  return (
    commit.slice(0, SHORT_COMMIT) +
    (commit.length > SHORT_COMMIT && commit.endsWith('+') ? '+' : '')
  );
}
