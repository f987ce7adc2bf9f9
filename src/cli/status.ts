import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { appOption } from './options.ts';
import { renderEnvironment } from './status-text.ts';
import { listEnvironments } from './where.ts';

const unhealthy = new Set(['degraded', 'severe']);

export const statusCommand = command<{ app?: string; environment?: string }>({
  name: 'status',
  summary: 'health, release, instances and traffic at a glance',
  description:
    'Shows every environment, or those asked for: health and its cause, release, instances by zone, requests per second, latency and the last deployment. Exit code 2 when one is degraded or severe.',
  options: [
    { ...appOption, description: 'one application; all when left out' },
    { flags: '-e, --environment <name>', description: 'one environment; all when left out' },
  ],
  examples: [
    ['belay status', 'everything that runs'],
    ['belay status -a my-shop -e staging', 'one environment'],
  ],
  async run(context, options) {
    const environments = await listEnvironments(context, options);
    answer(context, { environments }, () => {
      if (environments.length === 0)
        return ['Nothing runs.', 'Start an application with: belay up DIR'];
      return environments.flatMap((environment, index) => [
        ...(index === 0 ? [] : ['']),
        ...renderEnvironment(environment, context.clock.now(), context.stdout.paint),
      ]);
    });
    return environments.some(({ health }) => unhealthy.has(health))
      ? exitCodes.differs
      : exitCodes.ok;
  },
});
