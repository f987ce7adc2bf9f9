import { Fault } from '../kernel/fault.ts';
import type { EnvironmentView } from '../model/view.ts';
import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { liveLine } from './live-line.ts';
import {
  badOption,
  countOption,
  defaultTimeoutMs,
  type EnvironmentOptions,
  environmentOptions,
  timeoutOption,
} from './options.ts';
import { resize, type SizeOptions, sizeOptions } from './scale-size.ts';
import { allowedText, renderScaling } from './scaling-text.ts';
import { chooseEnvironment, commandFor, type Where } from './where.ts';

interface ScaleOptions extends EnvironmentOptions, SizeOptions {
  min?: number;
  max?: number;
  explain?: boolean;
  limit?: number;
  wait: boolean;
  timeout?: number;
}

const POLL_MS = 300;
const DECISIONS_SHOWN = 5;

export const scaleCommand = command<ScaleOptions>({
  name: 'scale',
  summary: 'change how many instances run, or what each may use',
  description:
    'Sets how many instances run, and between which bounds; returns when they do. Those that go are drained first. Where policies have a say, they carry on from there: --explain tells what they want and why, what was decided lately, and what comes next.',
  arguments: [{ syntax: '[N]', description: 'how many instances' }],
  options: [
    ...environmentOptions,
    { flags: '--min <n>', description: 'never fewer', parse: countOption('--min', 0) },
    { flags: '--max <n>', description: 'never more', parse: countOption('--max', 1) },
    { flags: '--no-wait', description: 'return at once' },
    timeoutOption,
    ...sizeOptions,
    { flags: '--explain', description: 'why it is what it is: policies, decisions, what is next' },
    {
      flags: '--limit <n>',
      description: `with --explain: how many decisions (default: ${DECISIONS_SHOWN})`,
      parse: countOption('--limit', 1),
    },
  ],
  examples: [
    ['belay scale 6', 'six instances'],
    ['belay scale 8 --max 10', 'eight, and room for ten'],
    ['belay scale --size large', 'as many, each with more to use'],
    ['belay scale --explain', 'why there are as many as there are'],
  ],
  async run(context, options, [count]) {
    if (options.explain) return await explain(context, options, count);
    if (options.size !== undefined) return await resize(context, options, count);
    if (options.limit !== undefined) throw badOption('--limit', 'goes with --explain');
    const body = readCapacity(count, options);
    const where = await chooseEnvironment(context, options);
    const scaled = await context.client().call('scale', { params: where, body });
    const view = options.wait ? await waitForInstances(context, where, options) : scaled;
    if (view === 'interrupted') return exitCodes.interrupted;
    answer(context, view, () => renderScaled(view, context));
    return exitCodes.ok;
  },
});

/** Changes nothing. */
async function explain(
  context: Context,
  options: ScaleOptions,
  count: string | undefined,
): Promise<number> {
  if (count !== undefined || options.min !== undefined || options.max !== undefined) {
    throw badOption('--explain', 'changes nothing, and goes with no number, --min or --max');
  }
  const where = await chooseEnvironment(context, options);
  const query = { limit: options.limit ?? DECISIONS_SHOWN };
  const view = await context.client().call('scaling', { params: where, query });
  answer(context, view, () => renderScaling(view, context.clock.now(), context.stdout.paint));
  return exitCodes.ok;
}

function readCapacity(count: string | undefined, { min, max, force }: ScaleOptions) {
  if (count === undefined && min === undefined && max === undefined) {
    throw new InputFault({
      code: 'bad-usage',
      message: 'scale needs a number of instances, --min or --max',
      hint: 'for three instances: belay scale 3',
    });
  }
  const desired = count === undefined ? undefined : countOption('N', 0)(count);
  if (min !== undefined && max !== undefined && min > max) {
    throw badOption('--min', `is ${min}, more than --max, ${max}`);
  }
  return {
    ...(desired !== undefined && { desired }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(force && { force }),
  };
}

/** Until as many instances are in service as are desired, and none is on its way. */
async function waitForInstances(
  context: Context,
  where: Where,
  options: ScaleOptions,
): Promise<EnvironmentView | 'interrupted'> {
  const { clock, interrupt, stderr } = context;
  const deadline = clock.monotonic() + (options.timeout ?? defaultTimeoutMs);
  const live = liveLine(stderr);
  try {
    for (;;) {
      const view = await context.client().call('environment', { params: where });
      if (hasFollowed(view)) return view;
      live.show(
        `  ${stderr.paint.dim(`${serving(view)} of ${view.capacity.desired} in service …`)}`,
      );
      if (clock.monotonic() >= deadline) throw timedOut(where, view);
      if ((await clock.sleep(POLL_MS, interrupt)) === 'aborted') return 'interrupted';
    }
  } finally {
    live.clear();
  }
}

const serving = ({ instances }: EnvironmentView): number =>
  instances.filter(({ state }) => state === 'in-service').length;

/** What fills the warm pool, or waits for somebody's word, is not waited for. */
function hasFollowed(view: EnvironmentView): boolean {
  const { instances, capacity, warm } = view;
  const inState = (wanted: string) => instances.filter(({ state }) => state === wanted).length;
  const isLeaving = instances.some(
    ({ state, wait }) => (state === 'draining' || state === 'terminating') && wait === null,
  );
  const warming = Math.max(0, warm - inState('warmed'));
  const isMet = serving(view) === capacity.desired || isHeldByProtection(view);
  return isMet && inState('pending') <= warming && !isLeaving;
}

/** More serve than are desired, and none of them may go. */
const isHeldByProtection = (view: EnvironmentView): boolean =>
  serving(view) > view.capacity.desired &&
  view.instances.every(({ state, isProtected }) => state !== 'in-service' || isProtected);

function timedOut(where: Where, view: EnvironmentView): Fault {
  return new Fault({
    code: 'timed-out',
    message: `${serving(view)} of ${view.capacity.desired} instances are in service; the rest did not follow in time`,
    subject: `${where.application}/${where.environment}`,
    hint: `see why with: ${commandFor('status', where)}`,
    retryable: true,
  });
}

function renderScaled(view: EnvironmentView, context: Context): string[] {
  const { paint } = context.stdout;
  const { desired } = view.capacity;
  return [
    `${paint.green('✓')} ${view.application}/${view.environment}: ${serving(view)} of ${desired} in service, ${allowedText(view)}`,
    ...(view.allowance?.concerns ?? []).map(({ what }) => paint.yellow(`! ${what}`)),
    ...(view.scaling === null
      ? []
      : [`  Policies carry on from there; see them with: ${commandFor('scale --explain', view)}`]),
  ];
}
