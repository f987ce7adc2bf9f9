import { text } from 'node:stream/consumers';
import type { AnswerOf } from '../api/routes.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { InputFault } from './exit-code.ts';
import { type MannerOptions, mannerOf, mannerOptions } from './manner.ts';
import { MASK } from './mask.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { renderTable } from './table.ts';
import { concludeOutcome } from './turn.ts';
import { chooseEnvironment, commandFor, type Where } from './where.ts';

type Variable = AnswerOf<'variables'>['variables'][number];

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const listCommand = command<EnvironmentOptions & { reveal?: boolean }>({
  name: 'list',
  summary: 'variables and where each comes from',
  options: [...environmentOptions, { flags: '--reveal', description: 'show the values' }],
  examples: [['belay env list --reveal', 'with values in the clear']],
  async run(context, options) {
    const where = await chooseEnvironment(context, options);
    const { variables } = await context.client().call('variables', { params: where });
    const shown = variables.map((variable) =>
      options.reveal ? variable : { ...variable, value: MASK },
    );
    answer(context, { variables: shown }, () => renderVariables(context, where, shown));
    return 0;
  },
});

const setCommand = command<EnvironmentOptions & MannerOptions>({
  name: 'set',
  summary: 'set variables, by a deployment',
  description:
    'Sets variables and replaces every instance, as a deployment does. KEY alone reads its value from stdin, so that a secret is in no argument list and no shell history.',
  arguments: [
    { syntax: '<KEY[=VALUE]...>', description: 'variables; KEY alone is read from stdin' },
  ],
  options: [...mannerOptions, ...environmentOptions],
  examples: [
    ['belay env set LOG_LEVEL=debug', 'one that is no secret'],
    ['belay env set API_KEY < key.txt', 'one that is'],
  ],
  async run(context, options, assignments) {
    const where = await chooseEnvironment(context, options);
    const set = await readAssignments(context, assignments);
    return change(context, where, { set, unset: [] }, options);
  },
});

const unsetCommand = command<EnvironmentOptions & MannerOptions>({
  name: 'unset',
  summary: 'remove variables, by a deployment',
  description:
    'Removes variables that were set with belay env set; those of the configuration stay.',
  arguments: [{ syntax: '<KEY...>', description: 'names of variables' }],
  options: [...mannerOptions, ...environmentOptions],
  async run(context, options, names) {
    const where = await chooseEnvironment(context, options);
    return change(context, where, { set: {}, unset: [...names] }, options);
  },
});

export const envFamily: CommandFamily = {
  name: 'env',
  summary: 'variables of an environment: list, set, unset',
  commands: [listCommand, setCommand, unsetCommand],
};

async function change(
  context: Context,
  where: Where,
  body: { set: Record<string, string>; unset: string[] },
  options: MannerOptions,
): Promise<number> {
  const outcome = await context
    .client()
    .call('setVariables', { params: where, body: { ...body, ...mannerOf(options) } });
  const unchanged = 'Nothing to change: the variables are so already.';
  return concludeOutcome(context, where, outcome, options, unchanged);
}

async function readAssignments(
  context: Context,
  assignments: readonly string[],
): Promise<Record<string, string>> {
  const fromStdin = assignments.filter((assignment) => !assignment.includes('='));
  if (fromStdin.length > 1) {
    throw badVariable(
      fromStdin.join(' '),
      'only one variable can be read from stdin',
      'set the others one by one',
    );
  }
  const set: Record<string, string> = {};
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const name = equals === -1 ? assignment : assignment.slice(0, equals);
    if (!VARIABLE_NAME.test(name)) {
      throw badVariable(
        name,
        `'${name}' is not the name of an environment variable`,
        'use letters, digits and underscores, not a digit first',
      );
    }
    set[name] = equals === -1 ? await readValue(context, name) : assignment.slice(equals + 1);
  }
  return set;
}

/** One line end at the end is the file's or the keyboard's, not the value's. */
async function readValue(context: Context, name: string): Promise<string> {
  if (context.stdin.isTTY) return askValue(context, name);
  return (await text(context.stdin)).replace(/\r?\n$/, '');
}

async function askValue(context: Context, name: string): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  const value = await password({
    message: `Value of ${name}`,
    signal: context.interrupt,
    input: context.stdin,
    output: context.stderr.stream,
  });
  if (isCancel(value)) throw badVariable(name, `${name} was given no value`);
  return value;
}

function badVariable(subject: string, message: string, hint?: string): InputFault {
  return new InputFault({ code: 'bad-variable', message, subject, hint });
}

function renderVariables(context: Context, where: Where, variables: readonly Variable[]): string[] {
  if (variables.length === 0) {
    return ['No variables are set.', `Set one with: ${commandFor('env set KEY=VALUE', where)}`];
  }
  return renderTable(
    [{ title: 'NAME' }, { title: 'VALUE' }, { title: 'FROM' }],
    variables.map(({ name, value, source }) => [
      name,
      value,
      source === 'configuration' ? 'configuration' : 'belay env',
    ]),
    context.stdout.paint,
  );
}
