import { parseDuration } from '../config/duration.ts';
import { Fault } from '../kernel/fault.ts';
import type { Context } from './context.ts';
import { badOption } from './options.ts';

/** What an option that takes a time may say. */
export const MOMENT = '2d, 90m, or 2026-12-24T08:00 (of this machine)';

/** So long from now, or a date with a time on this machine's wall. */
export function momentOf({ clock }: Pick<Context, 'clock'>, flag: string, text: string): number {
  const moment = /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  try {
    return Math.round(clock.now()) + parseDuration(text, 1);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw badOption(flag, `is '${text}', which is no time`, 'write 2d, or 2026-12-24T08:00');
  }
}
