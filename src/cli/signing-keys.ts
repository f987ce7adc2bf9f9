import type { SigningKeyChange, SigningKeysView } from '../model/signing-keys.ts';
import { type CommandFamily, command } from './command.ts';
import { answer, type Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { userName } from './manner.ts';
import { MASK } from './mask.ts';
import { type EnvironmentOptions, environmentOptions } from './options.ts';
import { formatTime } from './quantity.ts';
import { renderTable } from './table.ts';
import { chooseEnvironment, commandFor } from './where.ts';

const listCommand = command<EnvironmentOptions & { reveal?: boolean }>({
  name: 'list',
  summary: 'keys and which of them signs',
  options: [...environmentOptions, { flags: '--reveal', description: 'show the keys themselves' }],
  examples: [['belay signing-keys --reveal', 'for an app that Belay does not start']],
  async run(context, options) {
    const params = await chooseEnvironment(context, options);
    const view = await context.client().call('signingKeys', { params });
    const shown = options.reveal ? view : masked(view);
    answer(context, shown, () => renderKeys(context, shown));
    return exitCodes.ok;
  },
});

const rotateCommand = command<EnvironmentOptions>({
  name: 'rotate',
  summary: 'sign by a new key; what others have signed goes on passing',
  description:
    'Makes a key that signs from now on. Instances that run sign by the one they were started with, which goes on passing until it is revoked.',
  options: environmentOptions,
  examples: [['belay signing-keys rotate', 'then belay restart, and revoke the old one']],
  async run(context, options) {
    const params = await chooseEnvironment(context, options);
    const body = { by: userName() };
    const view = await context.client().call('rotateSigningKey', { params, body });
    const [newest, ...older] = view.keys;
    return conclude(context, view, [
      `${view.application}/${view.environment} signs by key ${newest?.id ?? ''} from now on.`,
      ...(older.length === 0
        ? []
        : [
            `Instances do so after: ${commandFor('restart', params)}`,
            `When nobody needs what the old key has signed: ${commandFor(`signing-keys revoke ${older.at(-1)?.id ?? ''}`, params)}`,
          ]),
    ]);
  },
});

const revokeCommand = command<EnvironmentOptions>({
  name: 'revoke',
  summary: 'let nothing pass any more that a key has signed',
  arguments: [{ syntax: '<ID>', description: 'of the key, as in k1; not of the one that signs' }],
  options: environmentOptions,
  examples: [['belay signing-keys revoke k1', 'when it has become known to somebody']],
  async run(context, options, [key = '']) {
    const where = await chooseEnvironment(context, options);
    const input = { params: { ...where, key }, query: { by: userName() } };
    const view = await context.client().call('revokeSigningKey', input);
    return conclude(context, view, [
      `What key ${key} of ${view.application}/${view.environment} has signed does not pass any more.`,
    ]);
  },
});

export const signingKeysFamily: CommandFamily = {
  name: 'signing-keys',
  summary: 'keys that sign guarded addresses: list, rotate, revoke',
  commands: [listCommand, rotateCommand, revokeCommand],
  fallback: 'list',
};

function masked<View extends SigningKeysView>(view: View): View {
  return { ...view, keys: view.keys.map((key) => ({ ...key, secret: MASK })) };
}

function conclude(context: Context, view: SigningKeyChange, lines: readonly string[]): number {
  const { paint } = context.stdout;
  const waiting = 'The edge cannot be reached, and follows when it is back.';
  answer(context, masked(view), () => [
    ...lines,
    ...(view.snapshot === null ? [paint.yellow(waiting)] : []),
  ]);
  return view.snapshot === null ? exitCodes.failed : exitCodes.ok;
}

const renderKeys = ({ stdout: { paint } }: Context, { keys }: SigningKeysView): string[] =>
  renderTable(
    [{ title: 'KEY' }, { title: 'MADE' }, { title: 'SECRET' }, { title: '' }],
    keys.map(({ id, createdAt, secret }, index) => [
      id,
      formatTime(createdAt),
      secret,
      index === 0 ? 'signs' : 'passes',
    ]),
    paint,
  );
