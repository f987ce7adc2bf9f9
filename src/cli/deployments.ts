import { isRunning } from '../model/deployment.ts';
import type { DeploymentView, TicketView } from '../model/view.ts';
import { command } from './command.ts';
import { answer } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { countOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import type { Paint } from './paint.ts';
import { formatAgo, formatDuration, formatPlural } from './quantity.ts';
import { changeOf } from './receipt-text.ts';
import { renderTable } from './table.ts';
import { chooseEnvironment } from './where.ts';

interface DeploymentsOptions extends EnvironmentOptions {
  number: number | string;
}

export const deploymentsCommand = command<DeploymentsOptions>({
  name: 'deployments',
  summary: 'what was deployed, by whom and how it ended',
  description:
    'Lists the deployments of an environment, newest first: what each changed, who asked for it and why, how long it took, what was lost, and how it ended; above them what waits for its turn.',
  options: [
    {
      flags: '-n, --number <count>',
      description: 'how many of the newest',
      default: '10',
      parse: countOption('--number', 1),
    },
    ...environmentOptions,
  ],
  examples: [['belay deployments', 'the last ten']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const client = context.client();
    const { waiting } = await client.call('environment', { params: where });
    const { deployments } = await client.call('deployments', {
      params: where,
      query: { limit: Number(options.number) },
    });
    const now = context.clock.now();
    const { paint } = context.stdout;
    answer(context, { deployments, waiting }, () => [
      ...renderTickets(waiting, now, paint),
      ...(waiting.length > 0 ? [''] : []),
      ...renderDeployments(deployments, now, paint),
    ]);
    return exitCodes.ok;
  },
});

/** What waits, first to start first; nothing when nothing does. */
export function renderTickets(tickets: readonly TicketView[], now: number, paint: Paint): string[] {
  if (tickets.length === 0) return [];
  return renderTable(
    [
      { title: 'QUEUED' },
      { title: 'STATE' },
      { title: 'ASKED' },
      { title: 'BY' },
      { title: 'WHY' },
    ],
    tickets.map((ticket) => [
      `${ticket.kind} ${ticket.number}`,
      stateOf(ticket),
      formatAgo(ticket.askedAt, now),
      ticket.by ?? '',
      [ticket.message, ticket.force ? 'forced' : null].filter(Boolean).join('; '),
    ]),
    paint,
  );
}

const stateOf = ({ state, reason, deployment, kind }: TicketView): string =>
  deployment === null
    ? [state, reason].filter(Boolean).join(': ')
    : `started as ${kind} ${deployment}`;

function renderDeployments(
  deployments: readonly DeploymentView[],
  now: number,
  paint: Paint,
): string[] {
  if (deployments.length === 0) return ['No deployment yet.'];
  return renderTable(
    [
      { title: 'DEPLOYMENT' },
      { title: 'CHANGE' },
      { title: 'STATE' },
      { title: 'STARTED' },
      { title: 'TOOK', align: 'right' },
      { title: 'LOST', align: 'right' },
      { title: 'BY' },
      { title: 'WHY' },
    ],
    deployments.map((deployment) => [
      `${deployment.kind} ${deployment.number}`,
      changeOf(deployment),
      stateInk(deployment, paint),
      formatAgo(deployment.startedAt, now),
      formatDuration((deployment.endedAt ?? now) - deployment.startedAt),
      deployment.receipt ? `${deployment.receipt.lost} of ${deployment.receipt.requests}` : '',
      deployment.by ?? '',
      whyOf(deployment),
    ]),
    paint,
  );
}

function stateInk(deployment: DeploymentView, paint: Paint): string {
  const word = deployment.state.replace('-', ' ');
  if (isRunning(deployment)) return paint.cyan(word);
  return deployment.state === 'succeeded' ? paint.green(word) : paint.red(word);
}

function whyOf({ message, overrides }: DeploymentView): string {
  const forced =
    overrides.length === 0 ? null : `forced past ${formatPlural(overrides.length, 'objection')}`;
  return [message, forced].filter(Boolean).join('; ');
}
