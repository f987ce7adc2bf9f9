import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { appOption, defaultTimeoutMs, timeoutOption } from './options.ts';
import { askForWord, nameOf, terminate, terminatedLines } from './termination.ts';
import { chooseEnvironment } from './where.ts';

interface TerminateOptions {
  app?: string;
  confirm?: string;
  timeout?: number;
}

export const confirmOption = {
  flags: '--confirm <name>',
  description: 'the name of the environment once more, in place of the question',
};

export const terminateCommand = command<TerminateOptions>({
  name: 'terminate',
  summary: 'drain and stop an environment, when its name is typed',
  description:
    'Drains and stops every instance of an environment and gives up its names; returns when it is done. Asks for its name first. Versions, releases and logs stay: belay envs rebuild brings it back.',
  arguments: [{ syntax: '<name>', description: 'the environment' }],
  options: [confirmOption, appOption, timeoutOption],
  examples: [
    ['belay envs terminate staging', 'after asking'],
    ['belay envs terminate staging --confirm staging', 'in a script'],
  ],
  async run(context, options, [name = '']) {
    const where = await chooseEnvironment(context, {
      ...(options.app !== undefined && { app: options.app }),
      environment: name,
    });
    // Refuses a name that is not there before anybody is asked about it.
    const view = await context.client().call('environment', { params: where });
    const names = view.namesOf === null ? '' : `, which answers to the names of ${view.namesOf}`;
    await confirm(context, `This stops ${nameOf(where)}${names}`, name, options.confirm);
    const end = await terminate(context, [where], options.timeout ?? defaultTimeoutMs);
    if (end === 'interrupted') return exitCodes.interrupted;
    answer(context, { terminated: [where] }, () => terminatedLines(context, [where]));
    return exitCodes.ok;
  },
});

/** By the flag, or by asking. @throws `not-confirmed`, `confirmation-needed` */
export async function confirm(
  context: Context,
  what: string,
  name: string,
  given: string | undefined,
): Promise<void> {
  if (given === name) return;
  if (given === undefined) {
    return await askForWord(context, { what, word: name, flag: `--confirm ${name}` });
  }
  throw new InputFault({
    code: 'not-confirmed',
    message: `--confirm is '${given}', and the environment is ${name}`,
    subject: name,
    hint: `write --confirm ${name} if that is what you mean`,
  });
}
