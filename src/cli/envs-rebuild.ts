import { command } from './command.ts';
import { conclude } from './conclude.ts';
import { confirm, confirmOption } from './envs-terminate.ts';
import { userName } from './manner.ts';
import { appOption, type FollowOptions, followOptions } from './options.ts';
import { nameOf } from './termination.ts';
import { chooseEnvironment, listEnvironments } from './where.ts';

interface RebuildOptions extends FollowOptions {
  app?: string;
  confirm?: string;
  message?: string;
}

export const rebuildCommand = command<RebuildOptions>({
  name: 'rebuild',
  summary: 'end every instance and make the environment anew',
  description:
    'For an environment that is broken beyond a restart: ends every instance at once and starts as many new ones of the release on record, with its configuration, variables and capacity, under the same names. Requests wait meanwhile, and some may be lost; the receipt says how many. Brings a terminated environment back as it was.',
  arguments: [{ syntax: '<name>', description: 'the environment' }],
  options: [
    confirmOption,
    { flags: '-m, --message <text>', description: 'why, for the record' },
    appOption,
    ...followOptions,
  ],
  examples: [
    ['belay envs rebuild production', 'after asking'],
    ['belay envs rebuild staging', 'back from the terminated, without a question'],
  ],
  async run(context, options, [name = '']) {
    const where = await chooseEnvironment(context, {
      ...(options.app !== undefined && { app: options.app }),
      environment: name,
    });
    const [running] = await listEnvironments(context, {
      app: where.application,
      environment: name,
    });
    if (running) {
      const what = `This ends every instance of ${nameOf(where)} at once and starts it anew`;
      await confirm(context, what, name, options.confirm);
    }
    const body = { message: options.message ?? null, by: userName() };
    const { deployment } = await context
      .client()
      .call('rebuildEnvironment', { params: where, body });
    return conclude(context, where, deployment, options);
  },
});
