import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { userName } from './manner.ts';
import { MOMENT, momentOf } from './moment.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatTime } from './quantity.ts';
import { chooseEnvironment, commandFor } from './where.ts';

export const freezeCommand = command<EnvironmentOptions & { until?: string }>({
  name: 'freeze',
  summary: 'let nothing new be deployed for a while',
  description:
    'Refuses deploys and changes of variables, or lets them wait with --queue, until belay unfreeze or a time. Rollbacks and restarts are never held up, and what runs goes on. --force goes ahead, and that is recorded.',
  arguments: [{ syntax: '[reason]', description: 'told to whoever is refused' }],
  options: [
    {
      flags: '--until <time>',
      description: `when it ends by itself: ${MOMENT}`,
    },
    ...environmentOptions,
  ],
  examples: [
    ['belay freeze "release week"', 'until belay unfreeze'],
    ['belay freeze "the sale" --until 2d', 'for two days'],
  ],
  async run(context, options, [reason]) {
    const until = options.until === undefined ? null : momentOf(context, '--until', options.until);
    const where = await chooseEnvironment(context, options);
    const body = { by: userName(), reason: reason ?? null, until };
    const { freeze } = await context.client().call('freeze', { params: where, body });
    const end = until === null ? '' : ` until ${formatTime(until)}`;
    answer(context, { ...where, freeze }, () => [
      `${where.application}/${where.environment} is frozen${end}; rollbacks and restarts pass.`,
      `Lift it with: ${commandFor('unfreeze', where)}`,
    ]);
    return exitCodes.ok;
  },
});

export const unfreezeCommand = command<EnvironmentOptions>({
  name: 'unfreeze',
  summary: 'let new things be deployed again',
  description: 'Ends a freeze; what waits in the queue starts.',
  options: environmentOptions,
  examples: [['belay unfreeze', 'go on']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const body = { by: userName() };
    const { waiting } = await context.client().call('unfreeze', { params: where, body });
    answer(context, { ...where, freeze: null, waiting }, () => [
      `${where.application}/${where.environment} is no longer frozen.`,
      ...(waiting.length === 0 ? [] : [`What waits starts now: ${commandFor('queue', where)}`]),
    ]);
    return exitCodes.ok;
  },
});
