import type { Hook, Hooks } from '../model/configuration.ts';
import { DEFAULTS } from './defaults.ts';
import type { HookOptions } from './hook-readers.ts';
import type { Choose } from './resolve.ts';
import type { Layer } from './schema.ts';

/** Fills in the hooks of one environment. A hook that is written is written whole. */
export function chooseHooks(choose: Choose): Hooks {
  const { buildMemoryBytes, memoryBytes } = DEFAULTS.hook;
  return {
    build: chooseHook(choose, 'build', (spec) => spec.build, buildMemoryBytes),
    migrate: chooseHook(choose, 'hooks.migrate', (spec) => spec.hooks?.migrate, memoryBytes),
    postdeploy: chooseHook(
      choose,
      'hooks.postdeploy',
      (spec) => spec.hooks?.postdeploy,
      memoryBytes,
    ),
  };
}

function chooseHook(
  choose: Choose,
  keyPath: string,
  read: (spec: Layer) => HookOptions | undefined,
  memoryBytes: number,
): Hook | null {
  const options = choose(keyPath, read, null);
  if (!options?.run) return null;
  // The layer that wrote the command wrote its options.
  const key = <T>(name: string, value: T | undefined, otherwise: T): T =>
    choose(`${keyPath}.${name}`, (spec) => (read(spec) === options ? value : undefined), otherwise);
  const { hook } = DEFAULTS;
  const onFailure =
    keyPath === 'hooks.postdeploy' ? key('onFailure', options.onFailure, 'roll-back') : 'roll-back';
  return {
    command: options.run.command,
    variables: options.run.variables,
    timeoutMs: key('timeout', options.timeout, hook.timeoutMs),
    limits: {
      memoryBytes: key('memory', options.memory, memoryBytes),
      cpu: key('cpu', options.cpu, hook.cpu),
    },
    turnsBack: onFailure === 'roll-back',
  };
}
