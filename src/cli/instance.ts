import type { InstanceView } from '../model/view.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { type Found, followInstance, whereIs } from './instance-follow.ts';
import { lifecycleCommands } from './instance-lifecycle.ts';
import { userName } from './manner.ts';
import { timeoutOption } from './options.ts';
import { formatPlural } from './quantity.ts';

/** What can be asked of single instances. Their ids are in `belay status`. */

interface FollowInstanceOptions {
  wait: boolean;
  timeout?: number;
}

const completes = 'instances';
const description = 'as in: i-0a1b2c3d';
const idArgument = { syntax: '<id>', description, completes } as const;
const idsArgument = { syntax: '<id...>', description, completes } as const;
const waitOptions = [{ flags: '--no-wait', description: 'return at once' }, timeoutOption];

const protectCommand = command({
  name: 'protect',
  summary: 'keep instances from scale-in',
  description:
    'Scale-in and the balancing of zones pass these over. Health, deployments and belay instance replace do not. Where all are protected, desired still goes down, and none ends until one is released.',
  arguments: [idsArgument],
  examples: [['belay instance protect i-0a1b2c3d', 'while it works on something long']],
  run: (context, _options, ids) => protect(context, ids, true),
});

const unprotectCommand = command({
  name: 'unprotect',
  summary: 'let instances go at a scale-in again',
  description: 'Ends the protection; what is too many by now goes at once.',
  arguments: [idsArgument],
  examples: [['belay instance unprotect i-0a1b2c3d', 'when it is done']],
  run: (context, _options, ids) => protect(context, ids, false),
});

const standbyCommand = command<FollowInstanceOptions & { replace?: boolean }>({
  name: 'standby',
  summary: 'take an instance out of traffic and keep it',
  description:
    'Drains an instance and leaves it running without traffic, to be looked at, until belay instance resume or replace. It is no capacity meanwhile, and nothing ends it: neither its health nor a deployment. Desired goes down by one; with --replace it stays, and the instance leaves when another serves in its place.',
  arguments: [idArgument],
  options: [
    { flags: '--replace', description: 'another takes its place first; desired stays' },
    ...waitOptions,
  ],
  examples: [
    ['belay instance standby i-0a1b2c3d', 'one fewer serves'],
    ['belay instance standby i-0a1b2c3d --replace', 'as many serve as before'],
  ],
  async run(context, options, [id = '']) {
    const found = await whereIs(context, id);
    const body = { substitute: options.replace === true, by: userName() };
    await context.client().call('standbyInstance', { params: paramsOf(found), body });
    return follow(context, found, options, {
      isDone: (instance) => instance?.state === 'standby',
      done: 'is on standby',
      asked: 'goes on standby',
    });
  },
});

const resumeCommand = command<FollowInstanceOptions>({
  name: 'resume',
  summary: 'bring an instance back from standby',
  description: 'Back into traffic; desired goes up by one.',
  arguments: [idArgument],
  options: waitOptions,
  examples: [['belay instance resume i-0a1b2c3d', 'when it has been looked at']],
  async run(context, options, [id = '']) {
    const found = await whereIs(context, id);
    const body = { by: userName() };
    await context.client().call('resumeInstance', { params: paramsOf(found), body });
    return follow(context, found, options, {
      isDone: (instance) => instance?.state === 'in-service' && instance.health === 'healthy',
      done: 'is back in service',
      asked: 'comes back',
    });
  },
});

const replaceCommand = command<FollowInstanceOptions>({
  name: 'replace',
  summary: 'drain and end an instance, once another serves in its place',
  description:
    'Starts another first; when it serves, this one is drained and stopped. One that is on standby is stopped at once.',
  arguments: [idArgument],
  options: waitOptions,
  examples: [['belay instance replace i-0a1b2c3d', 'the same release, a fresh process']],
  async run(context, options, [id = '']) {
    const found = await whereIs(context, id);
    const body = { by: userName() };
    await context.client().call('replaceInstance', { params: paramsOf(found), body });
    return follow(context, found, options, {
      isDone: (instance) => instance === undefined,
      done: 'has ended',
      asked: 'is replaced',
    });
  },
});

export const instanceFamily: CommandFamily = {
  name: 'instance',
  summary: 'single instances: protect, standby, resume, replace, continue, abandon',
  description:
    'Asks something of single instances. They are listed, with their ids, in belay status.',
  commands: [
    ...[protectCommand, unprotectCommand, standbyCommand, resumeCommand, replaceCommand],
    ...lifecycleCommands,
  ],
};

const paramsOf = ({ where, id }: Found) => ({ ...where, instance: id });

async function protect(
  context: Context,
  ids: readonly string[],
  isProtected: boolean,
): Promise<number> {
  const found = await Promise.all([...new Set(ids)].map((id) => whereIs(context, id)));
  const byEnvironment = Map.groupBy(found, ({ where }) => JSON.stringify(where));
  const by = userName();
  const views = [];
  for (const [first, ...more] of byEnvironment.values()) {
    if (!first) continue;
    const instances = [first, ...more].map(({ id }) => id);
    const body = { instances, isProtected, by };
    views.push(await context.client().call('protectInstances', { params: first.where, body }));
  }
  const { paint } = context.stdout;
  const what = isProtected ? 'protected from scale-in' : 'no longer protected';
  answer(context, { environments: views }, () => [
    `${paint.green('✓')} ${formatPlural(found.length, 'instance')} ${what}`,
  ]);
  return exitCodes.ok;
}

async function follow(
  context: Context,
  found: Found,
  options: FollowInstanceOptions,
  aim: { isDone: (instance: InstanceView | undefined) => boolean; done: string; asked: string },
): Promise<number> {
  const view = await followInstance(context, found, {
    ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
    isDone: (instance) => !options.wait || aim.isDone(instance),
  });
  if (view === 'interrupted') return exitCodes.interrupted;
  const serving = view.instances.filter(({ state }) => state === 'in-service').length;
  const says = options.wait ? aim.done : aim.asked;
  answer(context, view, () => [
    `${context.stdout.paint.green('✓')} ${found.id} ${says}; ${serving} of ${view.capacity.desired} in service`,
  ]);
  return exitCodes.ok;
}
