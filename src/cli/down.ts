import { command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import {
  defaultTimeoutMs,
  type EnvironmentOptions,
  environmentOptions,
  timeoutOption,
} from './options.ts';
import { askForWord, nameOf, type Question, terminate, terminatedLines } from './termination.ts';
import { chooseEnvironment, listEnvironments, type Where } from './where.ts';

interface DownOptions extends EnvironmentOptions {
  all?: boolean;
  yes?: boolean;
  timeout?: number;
}

export const downCommand = command<DownOptions>({
  name: 'down',
  summary: 'drain and stop an environment',
  description:
    'Drains and stops every instance of an environment and gives up its names; returns when it is done. Versions, releases and logs stay: belay up brings it back. Asks first.',
  options: [
    ...environmentOptions,
    {
      flags: '--all',
      description: 'every environment of every application (with --app: of that one)',
    },
    { flags: '-y, --yes', description: 'do not ask' },
    timeoutOption,
  ],
  examples: [
    ['belay down', "this directory's application, after asking"],
    ['belay down --all --yes', 'everything, at once'],
  ],
  async run(context, options) {
    const going = await chooseGoing(context, options);
    if (going.length > 0 && !options.yes) {
      await askForWord(context, questionOf(going, options.all === true));
    }
    const end = await terminate(context, going, options.timeout ?? defaultTimeoutMs);
    if (end === 'interrupted') return exitCodes.interrupted;
    answer(context, { terminated: going }, () => {
      if (going.length === 0) return ['Nothing runs, so there is nothing to stop.'];
      return terminatedLines(context, going);
    });
    return exitCodes.ok;
  },
});

async function chooseGoing(context: Context, options: DownOptions): Promise<Where[]> {
  if (!options.all) {
    const where = await chooseEnvironment(context, options);
    // Refuses a name that is not there before anybody is asked about it.
    await context.client().call('environment', { params: where });
    return [where];
  }
  const found = await listEnvironments(
    context,
    options.app === undefined ? {} : { app: options.app },
  );
  return found.map(({ application, environment }) => ({ application, environment }));
}

function questionOf(going: readonly Where[], all: boolean): Question {
  const [first] = going;
  return {
    what: `This stops ${going.map(nameOf).join(', ')}`,
    word: all || !first ? 'all' : nameOf(first),
    flag: '--yes',
  };
}
