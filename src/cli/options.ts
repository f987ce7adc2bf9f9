import { parseDuration } from '../config/duration.ts';
import { Fault } from '../kernel/fault.ts';
import { PRODUCTION } from '../model/environment.ts';
import type { OptionSpec } from './command.ts';
import { InputFault } from './exit-code.ts';

/** Flags that several commands share, with one meaning everywhere. */

export interface EnvironmentOptions {
  app?: string;
  environment: string;
}

export interface FollowOptions {
  timeout: number;
  detach?: boolean;
}

export const appOption: OptionSpec = {
  flags: '-a, --app <name>',
  description: "the application; this directory's, or the only one, when left out",
};

export const environmentOption: OptionSpec = {
  flags: '-e, --environment <name>',
  description: 'the environment',
  default: PRODUCTION,
};

export const environmentOptions: readonly OptionSpec[] = [appOption, environmentOption];

/** Longer than any deployment that still moves: a start may take minutes, a fleet many of them. */
const DEFAULT_TIMEOUT = '1h';

export const timeoutOption: OptionSpec = {
  flags: '--timeout <duration>',
  description: `how long to wait for the end: 90s, 10m; it goes on without you (default: ${DEFAULT_TIMEOUT})`,
  parse: (text) => durationOption('--timeout', text),
};

const detachOption: OptionSpec = {
  flags: '--detach',
  description: 'return as soon as it has started',
};

export const followOptions: readonly OptionSpec[] = [timeoutOption, detachOption];

export const defaultTimeoutMs = parseDuration(DEFAULT_TIMEOUT);

function durationOption(flag: string, text: string): number {
  try {
    return parseDuration(text, 1);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw badOption(flag, thrown.message, thrown.hint);
  }
}

/** Reads a whole number from `least` up. */
export function countOption(flag: string, least: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= least) return count;
    throw badOption(
      flag,
      `is '${text}', which is not a whole number from ${least} up`,
      'write it in digits, as in 20',
    );
  };
}

export function badOption(flag: string, problem: string, hint?: string): InputFault {
  return new InputFault({ code: 'bad-usage', message: `${flag} ${problem}`, subject: flag, hint });
}
