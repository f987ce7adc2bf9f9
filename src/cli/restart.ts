import { command } from './command.ts';
import { type MannerOptions, mannerOf, mannerOptions } from './manner.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { concludeOutcome } from './turn.ts';
import { chooseEnvironment } from './where.ts';

export const restartCommand = command<EnvironmentOptions & MannerOptions>({
  name: 'restart',
  summary: 'replace every instance, the same release again',
  description:
    'Replaces every instance by a new one of the same version and configuration, a batch at a time, without losing a request.',
  options: [...mannerOptions, ...environmentOptions],
  examples: [['belay restart', 'and see the receipt']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const outcome = await context
      .client()
      .call('restart', { params: where, body: mannerOf(options) });
    return concludeOutcome(context, where, outcome, options, 'Nothing to restart.');
  },
});
