import { userInfo } from 'node:os';
import type { OptionSpec } from './command.ts';
import { InputFault } from './exit-code.ts';
import { type FollowOptions, followOptions } from './options.ts';

/** How a deployment is asked for: the flags of every command that starts one. */

export interface MannerOptions extends FollowOptions {
  message?: string;
  queue?: boolean;
  replace?: boolean;
  force?: boolean;
  wait?: boolean;
}

export const mannerOptions: readonly OptionSpec[] = [
  { flags: '-m, --message <text>', description: 'why, for the record' },
  { flags: '--queue', description: 'where it cannot start now, wait for its turn' },
  { flags: '--replace', description: 'the same, in the place of deploys that wait' },
  {
    flags: '--force',
    description: 'start it although it is frozen, out of its window or not advisable',
  },
  { flags: '--wait', description: 'follow it to its end, which is the default' },
  ...followOptions,
];

/** As the API takes it. */
export function mannerOf(options: MannerOptions) {
  if (options.wait && options.detach) {
    throw new InputFault({
      code: 'bad-usage',
      message: '--wait and --detach exclude each other',
      hint: 'leave out one; it waits by itself',
    });
  }
  const otherwise = options.replace ? 'replace' : options.queue ? 'queue' : 'refuse';
  return {
    by: userName(),
    message: options.message ?? null,
    force: options.force === true,
    otherwise,
  } as const;
}

/** Null where the machine has no name for this user. */
export function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
