import { command } from './command.ts';
import { conclude } from './conclude.ts';
import {
  type EnvironmentOptions,
  environmentOptions,
  type FollowOptions,
  followOptions,
} from './options.ts';
import { chooseEnvironment } from './where.ts';

export const restartCommand = command<EnvironmentOptions & FollowOptions>({
  name: 'restart',
  summary: 'replace every instance, the same release again',
  description:
    'Replaces every instance by a new one of the same version and configuration, a batch at a time, without losing a request.',
  options: [...environmentOptions, ...followOptions],
  examples: [['belay restart', 'and see the receipt']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const { deployment } = await context.client().call('restart', { params: where, body: {} });
    return conclude(context, where, deployment, options);
  },
});
