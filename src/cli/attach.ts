import { isRunning } from '../model/deployment.ts';
import { command } from './command.ts';
import { conclude, tellVerdict } from './conclude.ts';
import type { Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import {
  countOption,
  type EnvironmentOptions,
  environmentOptions,
  type FollowOptions,
  timeoutOption,
} from './options.ts';
import { chooseEnvironment, commandFor, type Where } from './where.ts';

export const attachCommand = command<EnvironmentOptions & FollowOptions>({
  name: 'attach',
  summary: 'follow a deployment that somebody started',
  description:
    'Follows the deployment that runs, from whichever terminal, to its receipt; or the one of this number. What has ended is told as it ended. Ctrl-C detaches, and leaves the deployment alone.',
  arguments: [
    { syntax: '[number]', description: "the deployment's; the one that runs when left out" },
  ],
  options: [timeoutOption, ...environmentOptions],
  examples: [
    ['belay attach', 'the one that runs'],
    ['belay attach 12', 'deployment 12, however it ended'],
  ],
  async run(context, options, [number]) {
    const where = await chooseEnvironment(context, options);
    const wanted = number === undefined ? null : countOption('The number', 1)(number);
    return await attach(context, where, wanted, options);
  },
});

/** It may have ended while nobody looked: then its verdict is the answer. */
export async function attach(
  context: Context,
  where: Where,
  wanted: number | null,
  options: Partial<FollowOptions>,
): Promise<number> {
  const client = context.client();
  const number = wanted ?? (await lastNumber(context, where));
  const deployment = await client.call('deployment', { params: { ...where, number } });
  if (isRunning(deployment)) return await conclude(context, where, deployment, options);
  const { kind } = deployment;
  context.stderr.line(
    wanted === null
      ? `No deployment runs; this is how the last one, ${kind} ${number}, ended.`
      : `${kind} ${number} does not run any more; this is how it ended.`,
  );
  return tellVerdict(context, where, deployment);
}

async function lastNumber(context: Context, where: Where): Promise<number> {
  const { deployment } = await context.client().call('environment', { params: where });
  if (deployment) return deployment.number;
  throw new InputFault({
    code: 'no-deployment',
    message: `${where.application}/${where.environment} has had no deployment`,
    hint: `start one with: ${commandFor('deploy', where)}`,
  });
}
