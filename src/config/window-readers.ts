import { isTimeZone, parseWindow, type Window } from '../model/window.ts';
import { describe, leaf, type Reader, refusal, unlike } from './reader.ts';

/** When deployments may start, as users write it. */

const EXAMPLE = "['mon-thu 09:00-17:00']";

/** An empty list says always, where the top level has windows. */
export const windows: Reader<Window[]> = leaf((value) => {
  if (!Array.isArray(value)) throw unlike('a list of windows', value, EXAMPLE);
  return value.map((item: unknown) => {
    const window = typeof item === 'string' ? parseWindow(item) : null;
    if (window) return window;
    throw refusal(
      `has ${describe(item)}, which is not days and times`,
      `write ${EXAMPLE}: days as mon, mon-fri, sat,sun or daily, and times of 24 hours`,
    );
  });
});

export const timeZone: Reader<string> = leaf((value) => {
  if (typeof value === 'string' && isTimeZone(value)) return value;
  throw unlike('the name of a time zone', value, "'Europe/Berlin' or 'UTC'");
});
