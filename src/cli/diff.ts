import { command } from './command.ts';
import {
  type Comparison,
  compareReleases,
  compareWithRunning,
  comparisonJson,
  hasDifferences,
} from './comparison.ts';
import { renderComparison } from './comparison-text.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { loadProject } from './project.ts';
import { chooseEnvironment } from './where.ts';

interface DiffOptions extends EnvironmentOptions {
  reveal?: boolean;
}

export const diffCommand = command<DiffOptions>({
  name: 'diff',
  summary: 'what differs between versions, or from what runs',
  description:
    'Compares files, configuration and variables: this directory with what runs, a version with what runs, or two versions. Exit code 2 when they differ.',
  arguments: [
    { syntax: '[before]', description: 'a version (v3) or a release (7)' },
    { syntax: '[after]', description: 'another; what runs when left out' },
  ],
  options: [
    ...environmentOptions,
    { flags: '--reveal', description: 'show the values of variables' },
  ],
  examples: [
    ['belay diff', 'what belay deploy would change'],
    ['belay diff v3', 'from v3 to what runs'],
    ['belay diff v3 v7', 'between two versions'],
  ],
  async run(context, options, [before, after]) {
    const comparison = await compareAsked(context, options, before, after);
    const reveal = options.reveal === true;
    answer(context, comparisonJson(comparison, reveal), () =>
      renderComparison(comparison, {
        reveal,
        paint: context.stdout.paint,
      }),
    );
    return hasDifferences(comparison) ? exitCodes.differs : exitCodes.ok;
  },
});

async function compareAsked(
  context: Context,
  options: DiffOptions,
  before: string | undefined,
  after: string | undefined,
): Promise<Comparison> {
  if (before === undefined) {
    return compareWithRunning(context, await loadProject(context, '.', options.environment));
  }
  const where = await chooseEnvironment(context, options);
  return compareReleases(context, where, before, after ?? null);
}
