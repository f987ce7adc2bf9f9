import type { EdgeSettings } from '../model/edge-settings.ts';
import type { EdgeSettingsView } from '../model/view.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { edgeSettingsList, settingText } from './edge-settings.ts';
import { exitCodes, InputFault } from './exit-code.ts';
import { renderTable } from './table.ts';

/** A setting's name and what was written for it. */
type Options = Record<string, unknown>;

const showCommand = command({
  name: 'show',
  summary: 'every setting and what it would be by default',
  async run(context) {
    const [view, { DEFAULT_EDGE_SETTINGS: defaults }] = await Promise.all([
      context.client().call('edgeSettings'),
      loadSettings(),
    ]);
    answer(context, view, () => {
      const rows = edgeSettingsList.map((setting) => {
        const value = settingText(setting, view.settings[setting.key]);
        const otherwise = settingText(setting, defaults[setting.key]);
        return [setting.name, value, value === otherwise ? '' : otherwise, setting.description];
      });
      const { paint } = context.stdout;
      const titles = ['SETTING', 'VALUE', 'DEFAULT', 'WHAT IT IS'];
      return renderTable(
        titles.map((title) => ({ title })),
        rows.map((row) => row.map((cell, index) => (index === 3 ? paint.dim(cell) : cell))),
        paint,
      );
    });
    return exitCodes.ok;
  },
});

const setCommand = command<Options>({
  name: 'set',
  summary: 'change settings; returns when every worker goes by them',
  description:
    'Changes settings of the edge without losing a request; returns when every worker goes by them. What is not named stays as it is. `none` takes a bound away.',
  options: edgeSettingsList.map(({ name, placeholder, description }) => ({
    flags: `--${name} <${placeholder}>`,
    description,
  })),
  examples: [
    ['belay edge set --workers 2', 'serve with two processes'],
    ['belay edge set --trusted-proxies 10.0.0.0/8', 'behind a proxy of yours'],
    ['belay edge set --access-log json --idle-timeout 20s', 'two at once'],
  ],
  async run(context, options) {
    const written = new Map(
      edgeSettingsList.flatMap(({ name }) => {
        const text = options[camelCase(name)];
        return typeof text === 'string' ? [[name, text] as const] : [];
      }),
    );
    if (written.size === 0) {
      throw new InputFault({
        code: 'bad-usage',
        message: 'edge set needs at least one setting',
        hint: 'see them with: belay edge set --help',
      });
    }
    const { changedSettings } = await import('./edge-settings-change.ts');
    const { settings } = await context.client().call('edgeSettings');
    return change(context, settings, changedSettings(settings, written));
  },
});

const resetCommand = command({
  name: 'reset',
  summary: 'take settings back to their defaults',
  description: 'Takes the named settings back to their defaults, or all of them.',
  arguments: [{ syntax: '[SETTING...]', description: 'names of settings (default: all)' }],
  examples: [
    ['belay edge reset', 'all of them'],
    ['belay edge reset access-log', 'one'],
  ],
  async run(context, _, names) {
    const chosen = names.map(named);
    const [{ settings }, { DEFAULT_EDGE_SETTINGS: defaults }] = await Promise.all([
      context.client().call('edgeSettings'),
      loadSettings(),
    ]);
    const keys = (chosen.length === 0 ? edgeSettingsList : chosen).map(({ key }) => key);
    const back = Object.fromEntries(keys.map((key) => [key, defaults[key]]));
    return change(context, settings, { ...settings, ...back });
  },
});

export const edgeFamily: CommandFamily = {
  name: 'edge',
  summary: 'settings of the edge as a whole: show, set, reset',
  description:
    'Settings of the edge as a whole, whatever environment a request is for; shows them when nothing else is said. What is said of one application is in its configuration.',
  commands: [showCommand, setCommand, resetCommand],
  fallback: 'show',
};

/** With the schemas, which help can do without. */
const loadSettings = () => import('../model/edge-settings.ts');

const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function named(name: string) {
  const setting = edgeSettingsList.find((each) => each.name === name.replace(/^--/, ''));
  if (setting) return setting;
  throw new InputFault({
    code: 'bad-usage',
    message: `'${name}' is not a setting of the edge`,
    hint: `there is ${edgeSettingsList.map((each) => each.name).join(', ')}`,
  });
}

async function change(context: Context, before: EdgeSettings, wanted: EdgeSettings) {
  const after: EdgeSettingsView = await context.client().call('setEdgeSettings', { body: wanted });
  const changed = edgeSettingsList.flatMap((setting) => {
    const from = settingText(setting, before[setting.key]);
    const to = settingText(setting, after.settings[setting.key]);
    return from === to ? [] : [{ setting: setting.name, before: from, after: to }];
  });
  answer(context, { ...after, changed }, () => {
    if (changed.length === 0) return ['Nothing changes: that is how the edge is set.'];
    const { paint } = context.stdout;
    return [
      ...changed.map((each) => `  ${each.setting}  ${paint.dim(each.before)} → ${each.after}`),
      `${paint.green('✓')} Every worker goes by it, since snapshot ${after.snapshot}.`,
    ];
  });
  return exitCodes.ok;
}
