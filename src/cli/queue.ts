import { type CommandFamily, command } from './command.ts';
import { answer } from './context.ts';
import { renderTickets } from './deployments.ts';
import { exitCodes } from './exit-code.ts';
import { userName } from './manner.ts';
import { countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { nameOf } from './turn.ts';
import { chooseEnvironment, commandFor } from './where.ts';

const listCommand = command<EnvironmentOptions & { all?: boolean }>({
  name: 'list',
  summary: 'what waits for its turn to be deployed',
  options: [
    { flags: '--all', description: 'also what has waited, and what became of it' },
    ...environmentOptions,
  ],
  examples: [['belay queue', 'what waits, first to start first']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const { tickets: newestFirst } = await context.client().call('tickets', { params: where });
    const tickets = newestFirst.filter(({ state }) => options.all || state === 'waiting').reverse();
    answer(context, { tickets }, () =>
      tickets.length === 0
        ? ['Nothing waits.', `Queue a deploy with: ${commandFor('deploy --queue', where)}`]
        : renderTickets(tickets, context.clock.now(), context.stdout.paint),
    );
    return exitCodes.ok;
  },
});

const cancelCommand = command<EnvironmentOptions>({
  name: 'cancel',
  summary: 'take one out of the queue',
  description:
    'Takes one out of the queue. What has started is stopped with belay deploy --abort instead.',
  arguments: [{ syntax: '<number>', description: 'its number in the queue' }],
  options: environmentOptions,
  examples: [['belay queue cancel 3', 'queued deploy 3']],
  async run(context, options, [number = '']) {
    const where = await chooseEnvironment(context, options);
    const params = { ...where, number: countOption('The number', 1)(number) };
    const body = { by: userName() };
    const { ticket } = await context.client().call('cancel', { params, body });
    answer(context, { ticket }, () => [`${nameOf(ticket)} was taken out of the queue.`]);
    return exitCodes.ok;
  },
});

export const queueFamily: CommandFamily = {
  name: 'queue',
  summary: 'deployments that wait for their turn: list, cancel',
  commands: [listCommand, cancelCommand],
  fallback: 'list',
};
