import type { CommandLine } from './command.ts';
import { DEFAULTS } from './defaults.ts';
import { duration, oneOf, positiveNumber, size } from './leaves.ts';
import { leaf, type ReadBy, refusal, section } from './reader.ts';

/** The readers of hooks: a command alone, or with what it may take. */

const MAX_CORES = 1024;
const LEAST_MEMORY_BYTES = 16 * 1024 * 1024;
const LEAST_TIMEOUT_MS = 1_000;

/** @param parseCommand reads a command as it is written for `start` */
export function hookReaders(parseCommand: (value: unknown) => CommandLine) {
  const run = leaf(parseCommand);
  const options = section({
    run,
    timeout: duration(LEAST_TIMEOUT_MS),
    memory: size(LEAST_MEMORY_BYTES),
    cpu: positiveNumber('a number of cores', MAX_CORES, DEFAULTS.hook.cpu),
    onFailure: oneOf('what its failure does', ['roll-back', 'tell']),
  });
  /** A command alone stands for itself with the defaults. */
  const hook =
    (mayGoOn: boolean): typeof options =>
    (value, keyPath, report) => {
      if (typeof value === 'string' || Array.isArray(value)) {
        const command = run(value, keyPath, report);
        return command && { run: command };
      }
      const read = options(value, keyPath, report);
      if (read && !Object.hasOwn(Object(value), 'run')) {
        const hint = "write { run: 'npm run build' }, say";
        report({ keyPath, what: 'does not say what to run', hint });
      }
      if (read?.onFailure !== undefined && !mayGoOn) {
        const what = 'is for postdeploy alone: without this hook the release cannot start';
        report({ keyPath: `${keyPath}.onFailure`, what, hint: 'leave it out' });
      }
      return read;
    };
  return {
    build: hook(false),
    hooks: section({
      migrate: hook(false),
      postdeploy: hook(true),
      bootstrap: leaf((value) => parseBootstrap(parseCommand(value))),
    }),
  };
}

export type HookOptions = NonNullable<ReadBy<ReturnType<typeof hookReaders>['build']>>;

function parseBootstrap({ command, variables }: CommandLine): string[] {
  const [name] = Object.keys(variables);
  if (name === undefined) return command;
  const what = `sets ${name}, but it has the variables of its instance`;
  throw refusal(what, `write ${name} under web.env`);
}
