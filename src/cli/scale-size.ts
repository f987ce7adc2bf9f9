import { type SizeName, sizeNames } from '../model/size.ts';
import type { OptionSpec } from './command.ts';
import type { Context } from './context.ts';
import { mannerOf } from './manner.ts';
import { badOption, defaultTimeoutMs, type EnvironmentOptions } from './options.ts';
import { concludeOutcome } from './turn.ts';
import { chooseEnvironment } from './where.ts';

/** `belay scale --size`: as many instances as before, each with more or less to use. */

/** In place of a size: the one in the configuration. */
const CONFIGURED = 'configured';

export interface SizeOptions {
  size?: SizeName | typeof CONFIGURED;
  message?: string;
  force?: boolean;
}

export const sizeOptions: readonly OptionSpec[] = [
  {
    flags: '--size <size>',
    description: `what each may use, by a deployment: ${sizeNames.join(', ')}, or ${CONFIGURED}`,
    parse: readSize,
  },
  { flags: '-m, --message <text>', description: 'with --size: why, for the record' },
  {
    flags: '--force',
    description: 'although the machine has too little; with --size also out of its window',
  },
];

interface ResizeOptions extends EnvironmentOptions, SizeOptions {
  min?: number;
  max?: number;
  wait: boolean;
  timeout?: number;
}

/** Returns when every instance has the size. */
export async function resize(
  context: Context,
  options: ResizeOptions,
  count: string | undefined,
): Promise<number> {
  const { size, min, max, wait, timeout = defaultTimeoutMs } = options;
  if (count !== undefined || min !== undefined || max !== undefined) {
    throw badOption('--size', 'goes with no number, --min or --max', 'write two commands');
  }
  const where = await chooseEnvironment(context, options);
  const wanted = size === undefined || size === CONFIGURED ? null : size;
  const { message, force } = options;
  const manner = { timeout, ...(message !== undefined && { message }), ...(force && { force }) };
  const body = { size: wanted, ...mannerOf(manner) };
  const outcome = await context.client().call('resizeEnvironment', { params: where, body });
  const follow = { detach: !wait, timeout };
  const unchanged = 'Nothing to change: its instances have this size already.';
  return await concludeOutcome(context, where, outcome, follow, unchanged);
}

function readSize(text: string): SizeName | typeof CONFIGURED {
  const found = [...sizeNames, CONFIGURED].find((name) => name === text);
  if (found !== undefined) return found as SizeName | typeof CONFIGURED;
  throw badOption(
    '--size',
    `is '${text}'`,
    `the sizes are ${sizeNames.join(', ')}; or write ${CONFIGURED}`,
  );
}
