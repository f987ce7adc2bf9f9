import { command } from './command.ts';
import { type MannerOptions, mannerOf, mannerOptions } from './manner.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { concludeOutcome } from './turn.ts';
import { chooseEnvironment } from './where.ts';

export const rollbackCommand = command<EnvironmentOptions & MannerOptions>({
  name: 'rollback',
  summary: 'go back to an earlier release: code and configuration',
  description:
    'Goes back to an earlier release, code and configuration together. Without an argument, to the last one that was different. What happened outside, in a database or to files, stays as it is.',
  arguments: [
    {
      syntax: '[to]',
      description: 'a version (v3) or a release (7); the one before when left out',
    },
  ],
  options: [...mannerOptions, ...environmentOptions],
  examples: [
    ['belay rollback', 'to the release before'],
    ['belay rollback v3', 'to the newest release of version v3'],
    ['belay rollback 7', 'to release 7'],
  ],
  async run(context, options, [to]) {
    const where = await chooseEnvironment(context, options);
    const outcome = await context
      .client()
      .call('rollback', { params: where, body: { to: parseTarget(to), ...mannerOf(options) } });
    return concludeOutcome(context, where, outcome, options, 'Nothing to go back to.');
  },
});

/** Digits name a release, anything else a version. */
function parseTarget(to: string | undefined): string | number | null {
  if (to === undefined) return null;
  return /^\d+$/.test(to) ? Number(to) : to;
}
