import type { EnvironmentView, InstanceView } from '../model/view.ts';
import { type CommandSpec, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { type Found, whereIs } from './instance-follow.ts';
import { userName } from './manner.ts';
import { formatDuration } from './quantity.ts';

/** What is said to an instance that waits before it takes traffic, or before it is stopped. */

const idArgument = {
  syntax: '<id>',
  description: 'as in: i-0a1b2c3d',
  completes: 'instances',
} as const;

const continueCommand = command({
  name: 'continue',
  summary: 'let an instance that waits go on',
  description:
    'One that waits before it takes traffic comes into service, or into the warm pool; one that waits before it is stopped, is stopped. Returns when that is on record.',
  arguments: [idArgument],
  examples: [['belay instance continue i-0a1b2c3d', 'its caches are filled']],
  run: (context, _options, [id = '']) =>
    tell(context, id, 'continueInstance', (turn) =>
      turn === 'launching' ? 'comes into service' : 'is stopped',
    ),
});

const abandonCommand = command({
  name: 'abandon',
  summary: 'end an instance that waits',
  description:
    'One that waits before it takes traffic is stopped, and another is tried, later each time; of a deployment, a second one turns it back. One that waits before it is stopped, is stopped.',
  arguments: [idArgument],
  examples: [['belay instance abandon i-0a1b2c3d', 'it must not take traffic']],
  run: (context, _options, [id = '']) =>
    tell(context, id, 'abandonInstance', (turn) =>
      turn === 'launching' ? 'ends, and another is tried' : 'is stopped',
    ),
});

const heartbeatCommand = command({
  name: 'heartbeat',
  summary: 'give an instance that waits more time',
  description:
    'Lets the time in which it has to be answered begin anew: up to a hundred times that time in all, and 48 hours at most.',
  arguments: [idArgument],
  examples: [['belay instance heartbeat i-0a1b2c3d', 'there is more to do']],
  run: (context, _options, [id = '']) => tell(context, id, 'heartbeatInstance', () => 'waits on'),
});

export const lifecycleCommands: readonly CommandSpec[] = [
  continueCommand,
  abandonCommand,
  heartbeatCommand,
];

async function tell(
  context: Context,
  id: string,
  route: 'continueInstance' | 'abandonInstance' | 'heartbeatInstance',
  says: (turn: NonNullable<InstanceView['wait']>['turn']) => string,
): Promise<number> {
  const client = context.client();
  const { where }: Found = await whereIs(context, id);
  const before = waitOf(await client.call('environment', { params: where }), id);
  const params = { ...where, instance: id };
  const view = await client.call(route, { params, body: { by: userName() } });
  const { paint } = context.stdout;
  answer(context, view, () => [
    `${paint.green('✓')} ${id} ${says(before?.turn ?? 'launching')}${timeLeft(view, id, context)}`,
  ]);
  return exitCodes.ok;
}

const waitOf = ({ instances }: EnvironmentView, id: string): InstanceView['wait'] =>
  instances.find((each) => each.id === id)?.wait ?? null;

function timeLeft(view: EnvironmentView, id: string, { clock }: Context): string {
  const wait = waitOf(view, id);
  if (wait === null) return '';
  return `: ${formatDuration(wait.endsAt - clock.now())} to answer, else ${wait.otherwise}`;
}
