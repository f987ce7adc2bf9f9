import type { SavedConfiguration } from '../model/saved-configuration.ts';
import { command } from './command.ts';
import {
  type Comparison,
  compareConfigurations,
  comparisonJson,
  hasDifferences,
} from './comparison.ts';
import { renderComparison } from './comparison-text.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { MASK } from './mask.ts';
import { appOption, type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatAgo } from './quantity.ts';
import { settingsOf } from './settings.ts';
import { renderTable } from './table.ts';
import { chooseEnvironment } from './where.ts';

/** Configurations kept under names: what an environment was run by, without its code. */

const nameArgument = { syntax: '<name>', description: 'kebab-case: big, before-the-sale' };
const revealOption = { flags: '--reveal', description: 'show the values of variables' };

interface SaveOptions extends EnvironmentOptions {
  message?: string;
  replace?: boolean;
}

export const saveCommand = command<SaveOptions>({
  name: 'save',
  summary: 'keep what an environment runs by under a name',
  description:
    'Keeps the configuration of an environment under a name, with its variables and its capacity as they are now. How the code is started, its hooks and the host names are not taken from it later.',
  arguments: [nameArgument],
  options: [
    ...environmentOptions,
    { flags: '-m, --message <text>', description: 'what it is for' },
    { flags: '--replace', description: 'in the place of one that has the name' },
  ],
  examples: [['belay config save big -e load-test', 'to make others by: envs create --config big']],
  async run(context, { message = null, replace = false, ...options }, [name = '']) {
    const { application, environment } = await chooseEnvironment(context, options);
    const saved = await context.client().call('saveConfiguration', {
      params: { application, name },
      body: { environment, message, replace },
    });
    answer(context, masked(saved, false), () => [
      `${context.stdout.paint.green('✓')} ${name} is what ${saved.from} runs by (release ${saved.release}).`,
    ]);
    return exitCodes.ok;
  },
});

export const listCommand = command<{ app?: string }>({
  name: 'list',
  summary: 'saved configurations',
  options: [appOption],
  async run(context, options) {
    const application = await applicationOf(context, options);
    const params = { application };
    const { configurations } = await context.client().call('savedConfigurations', { params });
    answer(context, { configurations: configurations.map((each) => masked(each, false)) }, () =>
      renderList(context, application, configurations),
    );
    return exitCodes.ok;
  },
});

export const showCommand = command<{ app?: string; reveal?: boolean }>({
  name: 'show',
  summary: 'everything a saved configuration says',
  arguments: [nameArgument],
  options: [appOption, revealOption],
  async run(context, options, [name = '']) {
    const reveal = options.reveal === true;
    const saved = await find(context, options, name);
    answer(context, masked(saved, reveal), () => {
      const { paint } = context.stdout;
      return [
        `${paint.bold(name)}  ${paint.dim(`of ${saved.from}, release ${saved.release}`)}`,
        ...(saved.message === null ? [] : [`  ${saved.message}`]),
        '',
        ...renderTable(
          [{ title: 'KEY' }, { title: 'VALUE' }],
          [...settingsOf(masked(saved, reveal).configuration)],
          paint,
        ),
      ];
    });
    return exitCodes.ok;
  },
});

export const deleteCommand = command<{ app?: string }>({
  name: 'delete',
  summary: 'forget a saved configuration; what was made by it stays',
  arguments: [nameArgument],
  options: [appOption],
  async run(context, options, [name = '']) {
    const application = await applicationOf(context, options);
    await context.client().call('deleteConfiguration', { params: { application, name } });
    answer(context, { deleted: name, application }, () => [
      `${context.stdout.paint.green('✓')} ${name} is forgotten.`,
    ]);
    return exitCodes.ok;
  },
});

export const diffCommand = command<EnvironmentOptions & { reveal?: boolean }>({
  name: 'diff',
  summary: 'two saved configurations side by side, or one and what runs',
  description:
    'Compares two saved configurations, or one with what an environment runs by. Exit code 2 when they differ.',
  arguments: [
    { syntax: '<before>', description: 'a saved configuration' },
    { syntax: '[after]', description: 'another; what the environment runs by when left out' },
  ],
  options: [...environmentOptions, revealOption],
  examples: [['belay config diff big -e staging', 'what staging would change by it']],
  async run(context, options, [before = '', after]) {
    const comparison = await compareSaved(context, options, before, after);
    const reveal = options.reveal === true;
    answer(context, comparisonJson(comparison, reveal), () =>
      renderComparison(comparison, { reveal, paint: context.stdout.paint }),
    );
    return hasDifferences(comparison) ? exitCodes.differs : exitCodes.ok;
  },
});

async function compareSaved(
  context: Context,
  options: EnvironmentOptions,
  before: string,
  after: string | undefined,
): Promise<Comparison> {
  const where = await chooseEnvironment(context, options);
  const app = { app: where.application };
  const first = await find(context, app, before);
  const second = after === undefined ? where : await find(context, app, after);
  return compareConfigurations(context, first, second);
}

async function find(
  context: Context,
  options: { app?: string },
  name: string,
): Promise<SavedConfiguration> {
  const application = await applicationOf(context, options);
  return await context.client().call('savedConfiguration', { params: { application, name } });
}

async function applicationOf(context: Context, { app }: { app?: string }): Promise<string> {
  const { application } = await chooseEnvironment(context, {
    ...(app !== undefined && { app }),
    environment: '',
  });
  return application;
}

/** Variables may be secrets. */
function masked(saved: SavedConfiguration, reveal: boolean): SavedConfiguration {
  if (reveal) return saved;
  const { web } = saved.configuration;
  const variables = Object.fromEntries(Object.keys(web.variables).map((name) => [name, MASK]));
  return { ...saved, configuration: { ...saved.configuration, web: { ...web, variables } } };
}

function renderList(
  context: Context,
  application: string,
  configurations: readonly SavedConfiguration[],
): string[] {
  if (configurations.length === 0) {
    return [
      'No configuration is saved.',
      `Save one with: belay config save NAME -a ${application}`,
    ];
  }
  const now = context.clock.now();
  return renderTable(
    ['NAME', 'FROM', 'SAVED', 'MESSAGE'].map((title) => ({ title })),
    configurations.map(({ name, from, release, savedAt, message }) => [
      name,
      `${from}, release ${release}`,
      formatAgo(savedAt, now),
      message ?? '',
    ]),
    context.stdout.paint,
  );
}
