import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatAgo, formatBytes, formatCount } from './quantity.ts';
import { renderTable } from './table.ts';
import { chooseEnvironment } from './where.ts';

const SHORT_COMMIT = 9;

export const versionsCommand = command<EnvironmentOptions>({
  name: 'versions',
  summary: 'versions of an application, newest first',
  description:
    'Lists the versions of an application, newest first, and the releases of an environment that ran them: what belay rollback can go back to.',
  options: environmentOptions,
  examples: [['belay versions', 'what there is to go back to']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const client = context.client();
    const { application } = where;
    const { versions } = await client.call('versions', { params: { application } });
    const { releases } = await client.call('releases', { params: where });
    answer(context, { versions, releases }, () => {
      if (versions.length === 0) return [`${application} has no versions yet.`];
      const rows = versions.map((version) => [
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
        formatBytes(version.sizeBytes),
        version.message ?? '',
      ]);
      return renderTable(
        [
          { title: 'VERSION' },
          { title: 'RUNS IN' },
          { title: 'RELEASES' },
          { title: 'MADE' },
          { title: 'BY' },
          { title: 'COMMIT' },
          { title: 'FILES', align: 'right' },
          { title: 'SIZE', align: 'right' },
          { title: 'MESSAGE' },
        ],
        rows,
        context.stdout.paint,
      );
    });
    return exitCodes.ok;
  },
});

/** A `+` behind a commit says that the working tree differed from it. */
function shortCommit(commit: string | null): string {
  if (commit === null) return '';
  return (
    commit.slice(0, SHORT_COMMIT) +
    (commit.length > SHORT_COMMIT && commit.endsWith('+') ? '+' : '')
  );
}
