import type { SwapView } from '../model/view.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { appOption } from './options.ts';
import { formatPlural } from './quantity.ts';
import { chooseEnvironment } from './where.ts';

export const swapCommand = command<{ app?: string; force?: boolean }>({
  name: 'swap',
  summary: 'exchange the host names of two environments',
  description:
    'Exchanges what two environments of an application answer to, at once and without losing a request; returns when every edge worker goes by it. Instances stay where they are. The same command swaps back. Both must be ready.',
  arguments: [
    { syntax: '<a>', description: 'an environment' },
    { syntax: '<b>', description: 'the other' },
  ],
  options: [
    { flags: '--force', description: 'although one of them is frozen, or out of its window' },
    appOption,
  ],
  examples: [['belay envs swap production staging', 'what was staged goes live; again: back']],
  async run(context, { app, force }, [a = '', b = '']) {
    for (const name of [a, b]) refuseKey(name);
    const params = await chooseEnvironment(context, {
      ...(app !== undefined && { app }),
      environment: a,
    });
    const view = await context
      .client()
      .call('swapEnvironments', { params, body: { with: b, force: force === true } });
    answer(context, view, () => render(context, view));
    return view.snapshot === null ? exitCodes.failed : exitCodes.ok;
  },
});

/** Names belong to an application, so there is nothing to swap between two. */
function refuseKey(name: string): void {
  if (!name.includes('/')) return;
  throw new InputFault({
    code: 'bad-usage',
    message: `'${name}' is not the name of an environment; names are swapped within one application`,
    subject: name,
    hint: 'say which application with --app, as in: belay envs swap production staging --app shop',
  });
}

function render(context: Context, { application, snapshot, environments }: SwapView): string[] {
  const { paint } = context.stdout;
  const lines = environments.map(
    ({ environment, domains }) =>
      `${paint.green('✓')} ${application}/${environment} answers to ${domains.join(', ')}`,
  );
  if (snapshot === null) {
    return [
      ...lines,
      paint.yellow('The edge cannot be reached, and follows when it is back: do not swap again.'),
    ];
  }
  return [
    ...lines,
    paint.dim(`  on every worker since snapshot ${snapshot}${passed(environments)}`),
  ];
}

function passed(environments: SwapView['environments']): string {
  const receipts = environments.flatMap(({ receipt }) => receipt ?? []);
  if (receipts.length === 0) return '';
  const total = (key: 'requests' | 'lost') =>
    receipts.reduce((sum, receipt) => sum + receipt[key], 0);
  return `; ${formatPlural(total('requests'), 'request')} passed meanwhile, ${total('lost')} lost`;
}
